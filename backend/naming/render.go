package naming

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

const (
	// maxText bounds, in bytes, what a function returns and what a template
	// puts out: eight times the longest name, so that no cut shows in a legal one.
	maxText = 512

	// maxRandom bounds what one use of random draws, in characters: no name is longer.
	maxRandom = maxName

	// hashLength is how much of the hash truncate_sha256 appends, in characters.
	hashLength = 8
)

// render is one rendering: the functions of the template bound to a clock, and
// a record of the randomness they gave out. It is used once, by one goroutine.
type render struct {
	language

	now    func() time.Time
	entity map[string]any // what the function identity returns
	draws  []draw
}

// fields is the dot of a template.
type fields struct{ Type, DisplayName, PolicyName string }

// render runs the template. The output holds what it says, cut, and its length.
func (t *Template) render(in Inputs) (*output, []draw, error) {
	r, out := &render{language: t.language, now: t.now, entity: t.entity(in)}, &output{language: t.language}
	bound, err := template.New(t.param).Funcs(r.functions()).AddParseTree(t.param, t.tree)
	if err != nil {
		return nil, nil, fmt.Errorf("%s cannot be used: %s", t.param, t.inTemplate(err))
	}
	if err := bound.Execute(out, t.fields(in)); err != nil {
		return nil, nil, fmt.Errorf("%s makes no name: %s", t.param, t.inTemplate(err))
	}
	return out, r.draws, nil
}

// fields is what a template sees of the inputs. All functions that read a
// field may be long, so it is cut here.
func (l language) fields(in Inputs) fields {
	if in.Type == STS {
		return fields{Type: string(STS)}
	}
	return fields{
		Type:        string(in.Type),
		DisplayName: l.value(in.DisplayName),
		PolicyName:  l.value(in.PolicyName),
	}
}

// value is a text from outside, as a template sees it.
func (l language) value(text string) string {
	if !l.raw {
		text = normalise(text)
	}
	return cut(text)
}

// functions is Vault's template language, with each result cut to maxText.
// Those of text/template that could return more are replaced.
func (r *render) functions() template.FuncMap {
	functions := template.FuncMap{
		"random":           r.random,
		"uuid":             r.uuid,
		"unix_time":        r.unixTime,
		"unix_time_millis": r.unixTimeMillis,
		"timestamp":        r.timestamp,
		"truncate":         truncate,
		"truncate_sha256":  truncateSHA256,
		"uppercase":        func(s string) string { return cut(strings.ToUpper(s)) },
		"lowercase":        func(s string) string { return cut(strings.ToLower(s)) },
		"replace":          replace,
		"sha256":           hash,
		"base64":           func(s string) string { return cut(base64.StdEncoding.EncodeToString([]byte(s))) },
		"print":            func(args ...any) string { return cut(fmt.Sprint(args...)) },
		"println":          func(args ...any) string { return cut(fmt.Sprintln(args...)) },
		"printf":           printf,
	}
	if r.identity {
		functions[identityFunction] = r.identityValue
	}
	return functions
}

const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (r *render) random(length int) (string, error) {
	if err := checkRandomLength(int64(length)); err != nil {
		return "", err
	}
	text, block := make([]byte, 0, length), make([]byte, 2*length)
	for len(text) < length {
		rand.Read(block)
		for _, b := range block {
			// 248 is the largest multiple of 62 in a byte: what is above would favour some characters.
			if b < 248 && len(text) < length {
				text = append(text, base62[b%62])
			}
		}
	}
	return r.drew(draw{text: string(text), bits: base62Bits}), nil
}

func checkRandomLength(length int64) error {
	if length < 1 || length > maxRandom {
		return fmt.Errorf("random takes a length of 1 to %d, not %d", maxRandom, length)
	}
	return nil
}

// uuid is 16 random bytes in the form of a UUID, without a version: as in Vault.
func (r *render) uuid() string {
	b := make([]byte, 16)
	rand.Read(b)
	return r.drew(draw{text: fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), bits: hexBits})
}

// drew records a draw.
func (r *render) drew(d draw) string {
	r.draws = append(r.draws, d)
	return d.text
}

func (r *render) unixTime() string { return strconv.FormatInt(r.now().Unix(), 10) }

func (r *render) unixTimeMillis() string { return strconv.FormatInt(r.now().UnixMilli(), 10) }

func (r *render) timestamp(layout string) string { return cut(r.now().Format(cut(layout))) }

func truncate(length int, s string) (string, error) {
	if length < 1 {
		return "", fmt.Errorf("truncate takes a length from 1, not %d", length)
	}
	return cut(s[:min(length, len(s))]), nil
}

// truncateSHA256 replaces what is cut off by the beginning of its hash.
func truncateSHA256(length int, s string) (string, error) {
	if length <= hashLength {
		return "", fmt.Errorf("truncate_sha256 takes a length above %d, not %d", hashLength, length)
	}
	if len(s) <= length {
		return cut(s), nil
	}
	kept := length - hashLength
	return cut(s[:kept] + hash(s[kept:])[:hashLength]), nil
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// replace makes no more replacements than a result of maxText can show.
func replace(old, replacement, s string) string {
	count := -1
	if replacement != "" {
		count = maxText/len(replacement) + 1
	}
	return cut(strings.Replace(s, old, replacement, count))
}

func printf(format string, args ...any) (string, error) {
	if err := checkFormat(format); err != nil {
		return "", err
	}
	return cut(fmt.Sprintf(format, args...)), nil
}

// checkFormat refuses the widths and precisions that make fmt put out more
// than maxText for one verb: a number above it, and "*", which takes one from
// the arguments.
func checkFormat(format string) error {
	for {
		_, rest, found := strings.Cut(format, "%")
		if !found {
			return nil
		}
		format = strings.TrimLeft(rest, "+-# 0123456789.[]*") // the verb is next
		modifiers := rest[:len(rest)-len(format)]
		if strings.Contains(modifiers, "*") {
			return fmt.Errorf("printf takes no * in %%%s", modifiers)
		}
		if number := largestNumber(modifiers); number > maxText {
			return fmt.Errorf("printf takes numbers up to %d, not %d", maxText, number)
		}
		_, verb := utf8.DecodeRuneInString(format)
		format = format[verb:]
	}
}

// largestNumber is the largest of the numbers in text, or one just above maxText.
func largestNumber(text string) int {
	largest := 0
	for _, digits := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		number, err := strconv.Atoi(digits)
		if err != nil { // beyond int
			number = maxText + 1
		}
		largest = max(largest, number)
	}
	return largest
}

// cut shortens text to maxText, between characters if it has any: of bytes that are
// no UTF-8 all may look like the inside of one.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// output is where a template writes: it keeps the first maxText bytes and
// counts the rest.
type output struct {
	language

	kept   strings.Builder
	length int // of all that was written, in bytes
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	room := maxText - o.kept.Len()
	o.kept.Write(p[:min(len(p), room)])
	o.length += len(p)
	return len(p), nil
}
