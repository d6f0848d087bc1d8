package dev.decisionsidecar;

import java.math.BigDecimal;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * An exact amount in major units (dollars, not cents).
 *
 * @param amount the amount
 * @param currency its ISO 4217 code, three upper-case letters
 */
public record Money(BigDecimal amount, String currency) {
    private static final Pattern CODE = Pattern.compile("[A-Z]{3}");

    /**
     * Checks the currency's form; throws {@link IllegalArgumentException} for another.
     *
     * @param amount the amount
     * @param currency its ISO 4217 code
     */
    public Money {
        Objects.requireNonNull(amount, "revenue amount");
        if (currency == null || !CODE.matcher(currency).matches()) {
            throw new IllegalArgumentException(
                    "revenue currency is `" + currency + "`, wanted an ISO 4217 code as `USD`");
        }
    }

    /**
     * {@return an amount of money}
     *
     * @param amount the amount as a decimal text, as {@code 19.90}
     * @param currency its ISO 4217 code
     */
    public static Money of(String amount, String currency) {
        return new Money(new BigDecimal(amount), currency);
    }
}
