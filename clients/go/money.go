package sidecar

import (
	"strconv"
	"strings"
)

// digitsMax is the contract's bound on the digits of an amount.
const digitsMax = 30

// Money is an exact amount. Why text: Go has no decimal, and a float is not exact.
type Money struct {
	// Amount is in major units (dollars, not cents): optional minus, digits, optional point and digits, as "19.90".
	Amount string
	// Currency is the ISO 4217 code, three upper-case letters, as "USD".
	Currency string
}

// MoneyOf is so many minor units (cents) of a currency that has so many digits after the point: MoneyOf(1990, 2, "USD")
// is 19.90 dollars, MoneyOf(500, 0, "JPY") 500 yen.
func MoneyOf(minorUnits int64, digits int, currency string) Money {
	text := strconv.FormatInt(minorUnits, 10)
	sign := ""
	if minorUnits < 0 {
		sign, text = "-", text[1:]
	}
	if digits <= 0 {
		return Money{Amount: sign + text, Currency: currency}
	}
	if short := digits + 1 - len(text); short > 0 {
		text = strings.Repeat("0", short) + text
	}
	point := len(text) - digits
	return Money{Amount: sign + text[:point] + "." + text[point:], Currency: currency}
}

// check tells what is wrong with it: each problem has one name, so that the sidecar need not be asked.
func (m Money) check() *ArgumentError {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(m.Amount, "-"), ".")
	if !isDigits(whole) || point && !isDigits(fraction) {
		return argument("revenue amount", "is `%s`, wanted a decimal as `19.99`", m.Amount)
	}
	if len(whole)+len(fraction) > digitsMax {
		return argument("revenue amount", "has %d digits, wanted at most %d", len(whole)+len(fraction), digitsMax)
	}
	code := m.Currency
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return argument("revenue currency", "is `%s`, wanted an ISO 4217 code as `USD`", code)
	}
	return nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
