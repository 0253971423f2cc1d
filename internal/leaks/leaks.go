// Package leaks looks for secrets in text: as they are, and in the encodings in
// which programs like to print them.
package leaks

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Secrets are what must not be found, by what they are called in reports.
type Secrets map[string]string

// Add takes in a secret. One that is empty would be found everywhere: it is a
// mistake of the test.
func (s Secrets) Add(name, value string) {
	if value == "" {
		panic("leaks: " + name + " is empty")
	}
	s[name] = value
}

// In lists which secrets a text holds, and in which form: "key in base64".
func (s Secrets) In(text string) (found []string) {
	for name, value := range s {
		for form, pattern := range forms(value) {
			if pattern.MatchString(text) {
				found = append(found, name+" "+form)
			}
		}
	}
	slices.Sort(found)
	return found
}

// forms are the ways in which a secret can be written. Percent signs and hex are
// found in either case.
func forms(secret string) map[string]*regexp.Regexp {
	all := map[string]*regexp.Regexp{
		"as it is": plain(secret),
		"in hex":   ignoringCase(hex.EncodeToString([]byte(secret))),
	}
	for form, text := range map[string]string{
		"URL-encoded":       url.QueryEscape(secret),
		"URL-encoded twice": url.QueryEscape(url.QueryEscape(secret)),
		"in JSON":           inJSON(secret),
	} {
		if text != secret {
			all[form] = ignoringCase(text)
		}
	}
	if texts := base64s(secret); len(texts) > 0 {
		all["in base64"] = regexp.MustCompile(strings.Join(texts, "|"))
	}
	return all
}

var digits = regexp.MustCompile(`^\d+$`)

// plain finds the secret as it is. A short number, such as an MFA code, is one
// only where it is not part of a longer one, or of a fraction.
func plain(secret string) *regexp.Regexp {
	if digits.MatchString(secret) {
		return regexp.MustCompile(`(^|[^\d.])` + secret + `($|\D)`)
	}
	return regexp.MustCompile(regexp.QuoteMeta(secret))
}

func ignoringCase(text string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)` + regexp.QuoteMeta(text))
}

func inJSON(secret string) string {
	text, _ := json.Marshal(secret) // a string always encodes
	return strings.Trim(string(text), `"`)
}

// shortest is how much of an encoded secret tells it from chance.
const shortest = 10

// base64s are what is sure to be in the base64 of any text with the secret in
// it: wherever the secret begins in the text, some of its characters are encoded
// together with their neighbours, and are left out here.
func base64s(secret string) (texts []string) {
	for before := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			text = text[(before*8+5)/6 : (before+len(secret))*8/6]
			if len(text) >= shortest {
				texts = append(texts, regexp.QuoteMeta(text))
			}
		}
	}
	return texts
}
