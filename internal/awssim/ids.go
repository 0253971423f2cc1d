package awssim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	mathrand "math/rand/v2"
)

// Prefixes of AWS's unique ids.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
const (
	prefixUser         = "AIDA"
	prefixGroup        = "AGPA"
	prefixRole         = "AROA"
	prefixPolicy       = "ANPA"
	prefixLongTermKey  = "AKIA"
	prefixTemporaryKey = "ASIA"
)

const (
	base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// idSource draws ids and secrets.
type idSource struct {
	random    io.Reader
	keyLength int // of access key ids, without the prefix
}

// newIDSource draws from Options.Random; else, for the seed 0, from
// crypto/rand, which testing/cryptotest.SetGlobalRandom can seed; else from a
// stream that follows from the seed.
func newIDSource(options Options) *idSource {
	out := &idSource{rand.Reader, options.Dialect.keyLength()}
	switch {
	case options.Random != nil:
		out.random = options.Random
	case options.Seed != 0:
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], options.Seed)
		out.random = mathrand.NewChaCha8(key)
	}
	return out
}

// save is where a seeded stream is; nil for the others.
func (s *idSource) save() ([]byte, error) {
	if stream, seeded := s.random.(*mathrand.ChaCha8); seeded {
		return stream.MarshalBinary()
	}
	return nil, nil
}

// load goes on where a saved stream was, lest ids be given twice.
func (s *idSource) load(state []byte) error {
	stream, seeded := s.random.(*mathrand.ChaCha8)
	if !seeded || state == nil {
		return nil
	}
	return stream.UnmarshalBinary(state)
}

func (s *idSource) bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		panic("awssim: random source: " + err.Error()) // those of our own never fail
	}
	return b
}

// draw returns n characters of an alphabet whose length divides 256.
func (s *idSource) draw(alphabet string, n int) string {
	out := s.bytes(n)
	for i, b := range out {
		out[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(out)
}

// entity is a unique id: prefix and 17 characters.
func (s *idSource) entity(prefix string) string { return prefix + s.draw(base32Alphabet, 17) }

// secretKey is the two halves of an access key.
type secretKey struct{ id, secret string }

func (s *idSource) longTermKey() secretKey { return s.key(prefixLongTermKey) }

// key makes an id of 20 characters and a secret of 40, which may well contain
// "/" and "+".
func (s *idSource) key(prefix string) secretKey {
	return secretKey{id: prefix + s.draw(base32Alphabet, s.keyLength), secret: s.draw(base64Alphabet, 40)}
}

// sessionToken is opaque. AWS promises no length; this is a usual one.
func (s *idSource) sessionToken() string {
	return "IQoJb3JpZ2luX2Vj" + base64.StdEncoding.EncodeToString(s.bytes(240))
}

func (s *idSource) requestID() string {
	b := s.bytes(16)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
