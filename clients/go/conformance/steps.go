package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"decision-sidecar.dev/sidecar"
)

// step is one line of input; what is absent keeps the client's default.
type step struct {
	ID   string      `json:"id"`
	Call string      `json:"call"`
	To   string      `json:"to"`
	With connectWith `json:"with"`

	User     userForm               `json:"user"`
	Users    []userForm             `json:"users"`
	FlagKey  string                 `json:"flag_key"`
	FlagKeys []string               `json:"flag_keys"`
	Default  *defaultForm           `json:"default"`
	Defaults map[string]defaultForm `json:"defaults"`
	Options  []string               `json:"options"`
	Read     []struct {
		Key     string          `json:"key"`
		Type    string          `json:"type"`
		Default json.RawMessage `json:"default"`
	} `json:"read"`
	DecisionID string `json:"decision_id"`
	TimeoutMS  *int64 `json:"timeout_ms"`
	Strict     bool   `json:"strict"`

	EventKey   string `json:"event_key"`
	Name       string `json:"name"`
	GroupID    string `json:"group_id"`
	PreviousID string `json:"previous_id"`
	Category   string `json:"category"`
	EventID    string `json:"event_id"`
	Timestamp  string `json:"timestamp"`
	Revenue    *struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	} `json:"revenue"`
	Tags         values `json:"tags"`
	Properties   values `json:"properties"`
	Traits       values `json:"traits"`
	Context      values `json:"context"`
	Integrations values `json:"integrations"`

	Events            []step `json:"events"`
	IncludeOptimizely bool   `json:"include_optimizely"`
	BatchEventsMax    *int   `json:"batch_events_max"`
}

type connectWith struct {
	Strict          bool   `json:"strict"`
	Token           string `json:"token"`
	Datafile        string `json:"datafile"`
	DecideTimeoutMS *int64 `json:"decide_timeout_ms"`
	EventTimeoutMS  *int64 `json:"event_timeout_ms"`
	BufferEventsMax *int   `json:"buffer_events_max"`
	TLS             string `json:"tls"`
}

type userForm struct {
	UserID          string `json:"user_id"`
	AnonymousID     string `json:"anonymous_id"`
	Attributes      values `json:"attributes"`
	ForcedDecisions []struct {
		FlagKey      string `json:"flag_key"`
		VariationKey string `json:"variation_key"`
		RuleKey      string `json:"rule_key"`
	} `json:"forced_decisions"`
	Segments   *[]string `json:"segments"`
	Datafile   string    `json:"datafile"`
	DecisionID string    `json:"decision_id"`
}

type defaultForm struct {
	VariationKey string `json:"variation_key"`
	Enabled      bool   `json:"enabled"`
	Variables    values `json:"variables"`
}

func (d *defaultForm) decision() sidecar.Decision {
	return sidecar.Decision{
		VariationKey: d.VariationKey,
		Enabled:      d.Enabled,
		Variables:    sidecar.NewVariables(d.Variables),
	}
}

// values are tagged values of a step, turned into native ones as they are read.
type values sidecar.Values

// UnmarshalJSON reads the entries of a map.
func (v *values) UnmarshalJSON(text []byte) error {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(text, &entries); err != nil {
		return err
	}
	*v = make(values, len(entries))
	for key, entry := range entries {
		value, err := native(entry)
		if err != nil {
			return err
		}
		(*v)[key] = value
	}
	return nil
}

// tagged is the forms of a value that is neither null, a boolean nor a text.
type tagged struct {
	Int    *string           `json:"int"`
	Double *string           `json:"double"`
	Repeat *string           `json:"repeat"`
	Times  int               `json:"times"`
	List   []json.RawMessage `json:"list"`
	Map    *values           `json:"map"`
}

// native is a VALUE of a step.
func native(text json.RawMessage) (any, error) {
	if len(text) > 0 && text[0] != '{' {
		var plain any
		err := json.Unmarshal(text, &plain)
		return plain, err
	}
	var given tagged
	if err := json.Unmarshal(text, &given); err != nil {
		return nil, err
	}
	switch {
	case given.Int != nil:
		return strconv.ParseInt(*given.Int, 10, 64)
	case given.Double != nil:
		return strconv.ParseFloat(*given.Double, 64)
	case given.Repeat != nil:
		return strings.Repeat(*given.Repeat, given.Times), nil
	case given.Map != nil:
		return map[string]any(*given.Map), nil
	}
	list := make([]any, len(given.List))
	for place, each := range given.List {
		value, err := native(each)
		if err != nil {
			return nil, err
		}
		list[place] = value
	}
	return list, nil
}

func milliseconds(count int64) time.Duration {
	return time.Duration(count) * time.Millisecond
}

// options are those of Connect.
func (w *connectWith) options() ([]sidecar.Option, error) {
	options := []sidecar.Option{sidecar.WithToken(w.Token), sidecar.WithDatafile(w.Datafile)}
	if w.Strict {
		options = append(options, sidecar.WithStrict())
	}
	if w.DecideTimeoutMS != nil {
		options = append(options, sidecar.WithDecideTimeout(milliseconds(*w.DecideTimeoutMS)))
	}
	if w.EventTimeoutMS != nil {
		options = append(options, sidecar.WithEventTimeout(milliseconds(*w.EventTimeoutMS)))
	}
	if w.BufferEventsMax != nil {
		options = append(options, sidecar.WithBuffer(*w.BufferEventsMax))
	}
	if w.TLS != "" {
		configuration, err := tlsConfiguration(w.TLS == "mutual")
		if err != nil {
			return nil, err
		}
		options = append(options, sidecar.WithTLS(configuration))
	}
	return options, nil
}

// tlsConfiguration is of the files that the environment names.
func tlsConfiguration(mutual bool) (*tls.Config, error) {
	authority, err := os.ReadFile(os.Getenv("SIDECAR_CA"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("no certificate in %s", os.Getenv("SIDECAR_CA"))
	}
	configuration := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if mutual {
		shown, err := tls.LoadX509KeyPair(os.Getenv("SIDECAR_CERTIFICATE"), os.Getenv("SIDECAR_KEY"))
		if err != nil {
			return nil, err
		}
		configuration.Certificates = []tls.Certificate{shown}
	}
	return configuration, nil
}
