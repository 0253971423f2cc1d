package awssim

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operatorTests are the operators that are modelled, without their negations.
var operatorTests = map[string]func(want, got string) bool{
	"StringEquals":             func(want, got string) bool { return plain(want) == got },
	"StringEqualsIgnoreCase":   func(want, got string) bool { return strings.EqualFold(plain(want), got) },
	"StringLike":               glob,
	"BinaryEquals":             func(want, got string) bool { return plain(want) == got },
	"ArnEquals":                globARN,
	"ArnLike":                  globARN,
	"Bool":                     strings.EqualFold,
	"IpAddress":                inNetwork,
	"NumericEquals":            compareNumbers(func(d float64) bool { return d == 0 }),
	"NumericLessThan":          compareNumbers(func(d float64) bool { return d < 0 }),
	"NumericLessThanEquals":    compareNumbers(func(d float64) bool { return d <= 0 }),
	"NumericGreaterThan":       compareNumbers(func(d float64) bool { return d > 0 }),
	"NumericGreaterThanEquals": compareNumbers(func(d float64) bool { return d >= 0 }),
	"DateEquals":               compareDates(func(d time.Duration) bool { return d == 0 }),
	"DateLessThan":             compareDates(func(d time.Duration) bool { return d < 0 }),
	"DateLessThanEquals":       compareDates(func(d time.Duration) bool { return d <= 0 }),
	"DateGreaterThan":          compareDates(func(d time.Duration) bool { return d > 0 }),
	"DateGreaterThanEquals":    compareDates(func(d time.Duration) bool { return d >= 0 }),
}

// operatorTest is the comparison of an operator, its negation taken out.
func operatorTest(operator string) (test func(want, got string) bool, negative, known bool) {
	base := operator
	for _, prefix := range []string{"String", "Arn", "Numeric", "Date"} {
		if rest, ok := strings.CutPrefix(operator, prefix+"Not"); ok {
			base, negative = prefix+rest, true
		}
	}
	if operator == "NotIpAddress" {
		base, negative = "IpAddress", true
	}
	test, known = operatorTests[base]
	return test, negative, known
}

// plain takes the marks of resolved variables out again.
func plain(s string) string { return strings.ReplaceAll(s, string(literal), "") }

// globARN matches part by part, so that a wildcard never crosses a colon
// before the resource.
func globARN(want, got string) bool {
	patterns, parts := strings.SplitN(want, ":", 6), strings.SplitN(got, ":", 6)
	if len(patterns) != len(parts) {
		return false
	}
	for i := range parts {
		if !glob(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// inNetwork takes an address or a network in CIDR notation.
func inNetwork(want, got string) bool {
	address, err := netip.ParseAddr(got)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(plain(want)); err == nil {
		return network.Contains(address)
	}
	single, err := netip.ParseAddr(plain(want))
	return err == nil && single == address
}

// compareNumbers tests the difference of the request's number and the
// policy's.
func compareNumbers(test func(difference float64) bool) func(want, got string) bool {
	return func(want, got string) bool {
		limit, err := strconv.ParseFloat(plain(want), 64)
		if err != nil {
			return false
		}
		value, err := strconv.ParseFloat(got, 64)
		return err == nil && test(value-limit)
	}
}

// compareDates is compareNumbers for ISO 8601 dates and epoch seconds.
func compareDates(test func(difference time.Duration) bool) func(want, got string) bool {
	return func(want, got string) bool {
		limit, err := readDate(plain(want))
		if err != nil {
			return false
		}
		value, err := readDate(got)
		return err == nil && test(value.Sub(limit))
	}
}

func readDate(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, text)
}
