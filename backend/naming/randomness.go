package naming

import (
	"bytes"
	"strings"
)

// UniqueBits is how much randomness of our own makes a name ours alone: at 60
// bits, an account would have to see 2^30 names of one second and role before
// two are likely to meet. Only a user with such a name may be destroyed on the
// word of our journal alone (design L5).
const UniqueBits = 60

// Bits per character, as the chance that two independent draws agree: 2^-bits.
// IAM tells names apart ignoring case, in which a letter of base62 comes with
// 2/62 and a digit with 1/62: log2(62² / (26·2² + 10·1²)) = 5.075.
const (
	base62Bits = 5.07
	hexBits    = 4
)

// minRun is the shortest run of drawn characters that counts. Shorter ones may
// stand in a name by chance, and so be taken for randomness that is not there.
const minRun = 8

// draw is one random text that went into a rendering.
type draw struct {
	text string
	bits float64 // per character; the dashes of a uuid have none
}

// Name is a name made by a template.
type Name struct {
	Text string
	// RandomBits is how much of our own randomness is in Text; never more than
	// there is. What was hashed or encoded does not count.
	RandomBits float64
}

// Unique reports whether nobody else can have made this name.
func (n Name) Unique() bool { return n.RandomBits >= UniqueBits }

// survivingBits measures what of the draws can be seen in name, ignoring case.
func survivingBits(name string, draws []draw) float64 {
	folded, bits := []byte(strings.ToLower(name)), 0.0
	for _, d := range draws {
		bits += d.bitsIn(folded)
	}
	return bits
}

// bitsIn looks for the draw in name, the longest runs first. It blanks what it
// found, so that a character counts once however often the name repeats it.
func (d draw) bitsIn(name []byte) (bits float64) {
	text := []byte(strings.ToLower(d.text))
	for {
		start, length := longestRun(text, name)
		if length < minRun {
			return bits
		}
		run := text[start : start+length]
		bits += d.bits * float64(length-bytes.Count(run, []byte("-")))
		clear(run) // a name has no NUL
	}
}

// longestRun finds the longest part of text that is in name.
func longestRun(text, name []byte) (start, length int) {
	for i := range text {
		for j := range name {
			n := commonPrefix(text[i:], name[j:])
			if n > length {
				start, length = i, n
			}
		}
	}
	return start, length
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
