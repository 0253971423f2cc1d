package awserr

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

const (
	// maxMessage bounds what is shown of AWS's message, in bytes.
	maxMessage = 512
	// maxID bounds error codes and request ids, in bytes. AWS's have 50 at most.
	maxID = 100
	// maxCause bounds what is shown of an error that has no class of its own, in bytes.
	maxCause = 200
)

// clean keeps the printable characters of the text's first line, at most limit
// bytes, cut between characters. A foreign endpoint chooses these texts: they
// must neither break log lines nor drive a terminal.
func clean(text string, limit int) string {
	text = strings.TrimSpace(text)
	if end := strings.IndexAny(text, "\n\r\v\f\u0085\u2028\u2029"); end >= 0 {
		text = text[:end]
	}
	text = strings.Map(printable, text)
	if len(text) <= limit {
		return text
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// printable drops what is not printable, bytes that are no UTF-8 included.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == utf8.RuneError, !unicode.IsPrint(r):
		return -1
	default:
		return r
	}
}

// withoutCode says what happened when no AWS error came back. A body that is no
// AWS XML (a proxy's page, say) is never quoted, nor what its decoder said.
func (e *Error) withoutCode() string {
	problem := networkProblem(e.Cause)
	switch {
	case problem != "":
		return problem
	case e.Status != 0:
		return fmt.Sprintf("HTTP status %d with a body that is no answer of AWS", e.Status)
	case errors.Is(e.Cause, io.EOF), errors.Is(e.Cause, io.ErrUnexpectedEOF):
		return "connection closed before AWS answered"
	case quotesBody(e.Cause):
		return "the reply is no answer of AWS"
	case e.Cause != nil:
		return unclassified(e.Cause)
	default:
		return string(e.Kind)
	}
}

// Reason says in short and safe words why an AWS call, or what has to come before
// it, failed without an answer of AWS.
func Reason(cause error) string { return (&Error{Cause: cause}).withoutCode() }

// networkProblem names the failures of a network in fixed words; "" is none of them.
func networkProblem(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled before AWS answered"
	case errors.As(err, &dns):
		return fmt.Sprintf("DNS lookup of %q: %s", clean(dns.Name, maxID), dnsProblem(dns))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out before AWS answered" + address(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused" + address(err)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset before AWS answered" + address(err)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "network unreachable" + address(err)
	default:
		return tlsProblem(err)
	}
}

func dnsProblem(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "no such host"
	case err.IsTimeout:
		return "timed out"
	default:
		return "lookup failed"
	}
}

// address is the dialled address in parentheses, if the error knows it.
func address(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return ""
	}
	return " (" + clean(op.Addr.String(), maxID) + ")"
}

// tlsProblem names what kept TLS from being set up; "" is nothing of the kind.
func tlsProblem(err error) string {
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &record):
		return "the endpoint does not speak TLS"
	case errors.As(err, &authority):
		return "TLS certificate signed by an unknown authority"
	case errors.As(err, &hostname):
		return "TLS certificate issued for another host"
	case errors.As(err, &certificate):
		return "TLS certificate not valid"
	default:
		return ""
	}
}

// quotesBody reports an error of a decoder: their texts quote what they read.
func quotesBody(err error) bool {
	var xmlSyntax *xml.SyntaxError
	var xmlShape xml.UnmarshalError
	var jsonSyntax *json.SyntaxError
	return errors.As(err, &xmlSyntax) || errors.As(err, &xmlShape) || errors.As(err, &jsonSyntax)
}

// unclassified is the text of the innermost error: the outer ones are the SDK's
// wrapping, and may quote whole requests.
func unclassified(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return clean(withoutSecrets(err.Error()), maxCause)
}

// withoutSecrets cuts queries and credentials out of the URLs in text: tokens
// hide in the first, the password of a proxy in the second.
func withoutSecrets(text string) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		word, _, _ = strings.Cut(word, "?")
		if at := strings.LastIndex(word, "@"); at >= 0 {
			word = "[redacted]" + word[at:]
		}
		words[i] = word
	}
	return strings.Join(words, " ")
}
