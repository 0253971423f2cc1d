package awssim

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"time"
)

// XML namespaces and API versions, as botocore 1.43's models have them.
const (
	namespaceIAM = "https://iam.amazonaws.com/doc/2010-05-08/"
	namespaceSTS = "https://sts.amazonaws.com/doc/2011-06-15/"
	namespaceEC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"

	namespaceFault = "http://webservices.amazon.com/AWSFault/2005-15-09"

	versionIAM = "2010-05-08"
	versionSTS = "2011-06-15"
	versionEC2 = "2016-11-15"
)

func namespaceOf(service string) string {
	switch service {
	case serviceSTS:
		return namespaceSTS
	case serviceEC2:
		return namespaceEC2
	default:
		return namespaceIAM
	}
}

// node is an XML element: text or children.
type node struct {
	name string
	text string
	kids []node
}

func leaf(name, text string) node           { return node{name: name, text: text} }
func branch(name string, kids ...node) node { return node{name: name, kids: kids} }
func stamp(name string, t time.Time) node   { return leaf(name, t.UTC().Format(time.RFC3339)) }

// document renders a policy as IAM's reads do: URL-encoded (RFC 3986).
func document(name, policy string) node {
	return leaf(name, escapeURI(policy))
}

// optional is nothing for "", else a leaf.
func optional(name, text string) []node {
	if text == "" {
		return nil
	}
	return []node{leaf(name, text)}
}

// list wraps each item's children in a "member" element.
func list[T any](name string, items []T, render func(T) []node) node {
	out := node{name: name}
	for _, item := range items {
		out.kids = append(out.kids, branch("member", render(item)...))
	}
	return out
}

// texts renders a list of plain texts.
func texts(name string, items []string) node {
	out := node{name: name}
	for _, item := range items {
		out.kids = append(out.kids, leaf("member", item))
	}
	return out
}

func (n node) write(b *bytes.Buffer) {
	b.WriteString("<" + n.name + ">")
	_ = xml.EscapeText(b, []byte(n.text)) // a bytes.Buffer never fails
	for _, kid := range n.kids {
		kid.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

// xmlDocument renders a root element with its namespace.
func xmlDocument(root, namespace string, kids ...node) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<" + root)
	if namespace != "" {
		b.WriteString(` xmlns="` + namespace + `"`)
	}
	b.WriteString(">")
	for _, kid := range kids {
		kid.write(&b)
	}
	b.WriteString("</" + root + ">")
	return b.Bytes()
}

// render is the answer of an operation that succeeded.
func (c *call) render(result []node) reply {
	name, namespace := c.operationName(), namespaceOf(c.service)
	if c.service == serviceEC2 {
		kids := append([]node{leaf("requestId", c.requestID)}, result...)
		return c.ok(xmlDocument(name+"Response", namespace, kids...))
	}
	metadata := branch("ResponseMetadata", leaf("RequestId", c.requestID))
	if result == nil {
		return c.ok(xmlDocument(name+"Response", namespace, metadata))
	}
	return c.ok(xmlDocument(name+"Response", namespace, branch(name+"Result", result...), metadata))
}

func (c *call) ok(body []byte) reply {
	return reply{requestID: c.requestID, status: http.StatusOK, contentType: "text/xml", body: body}
}

// renderError is the answer of a call that was refused.
func (c *call) renderError(e *apiError) reply {
	out := reply{requestID: c.requestID, status: e.status, contentType: "text/xml", code: e.code}
	if c.service == serviceEC2 {
		e = e.forEC2()
		out.status, out.code = e.status, e.code
		out.body = xmlDocument("Response", "",
			branch("Errors", branch("Error", leaf("Code", e.code), leaf("Message", e.message))),
			leaf("RequestID", c.requestID))
		return out
	}
	namespace := namespaceOf(c.service)
	if e.code == "InvalidAction" {
		namespace = namespaceFault // no operation, no service's namespace
	}
	parts := append([]node{leaf("Type", e.fault()), leaf("Code", e.code)}, optional("Message", e.message)...)
	out.body = xmlDocument("ErrorResponse", namespace, branch("Error", parts...), leaf("RequestId", c.requestID))
	return out
}

// ec2Errors says what EC2 calls what IAM and STS call otherwise.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
var ec2Errors = map[string]apiError{
	"InvalidClientTokenId":       {"AuthFailure", http.StatusUnauthorized, "AWS was not able to validate the provided access credentials"},
	"SignatureDoesNotMatch":      {"AuthFailure", http.StatusUnauthorized, "AWS was not able to validate the provided access credentials"},
	"IncompleteSignature":        {"AuthFailure", http.StatusUnauthorized, "AWS was not able to validate the provided access credentials"},
	"MissingAuthenticationToken": {"AuthFailure", http.StatusUnauthorized, "AWS was not able to validate the provided access credentials"},
	"ExpiredToken":               {"RequestExpired", http.StatusBadRequest, "Request has expired."},
	"AccessDenied":               {"UnauthorizedOperation", http.StatusForbidden, "You are not authorized to perform this operation. "},
	"Throttling":                 {"RequestLimitExceeded", http.StatusServiceUnavailable, "Request limit exceeded."},
}

func (e *apiError) forEC2() *apiError {
	named, ok := ec2Errors[e.code]
	if !ok {
		return e
	}
	if e.code == "AccessDenied" {
		named.message += e.message
	}
	return &named
}

// escapeURI percent-encodes everything but RFC 3986's unreserved characters.
func escapeURI(s string) string {
	var b bytes.Buffer
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}
