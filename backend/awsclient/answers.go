package awsclient

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
)

// answers lets a success pass only if it is an answer of AWS's query protocol: an
// XML document whose root is a …Response. For most calls the SDK looks at no
// more than the status, so that a user would count as deleted where a proxy
// said 200 with a page of its own.
type answers struct{ http.RoundTripper }

// errNoAnswer is a success of somebody else than AWS. What the call did is
// unknown.
var errNoAnswer = errors.New("the reply is no answer of AWS")

// headSize is enough for an XML declaration and the first tag.
const headSize = 1024

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	reply, err := a.RoundTripper.RoundTrip(req)
	if err != nil || reply.StatusCode < 200 || reply.StatusCode > 299 {
		return reply, err
	}
	body := bufio.NewReaderSize(reply.Body, headSize)
	head, _ := body.Peek(headSize) // a shorter body is an error, and no less a body
	if !strings.HasSuffix(rootElement(head), "Response") {
		_ = reply.Body.Close()
		return nil, errNoAnswer
	}
	reply.Body = readCloser{body, reply.Body}
	return reply, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// rootElement is the name of the first element of an XML document; "" if the
// text does not get that far.
func rootElement(text []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return ""
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local
		}
	}
}
