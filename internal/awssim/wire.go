package awssim

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
)

// maxBody is more than any request of the operations served: AWS's own bound
// of a query request is not published.
const maxBody = 1 << 20

// request is an HTTP request of the query protocol, read to its end.
type request struct {
	method string
	host   string
	path   string // escaped
	query  url.Values
	header http.Header
	body   []byte
	params url.Values // of the query and, for a form, of the body
	tls    bool
	remote string // address and port
	signed signature
	met    encounter
}

// readRequest reads a request. Only a broken body is an error; whatever else
// is wrong gets AWS's answer.
func readRequest(r *http.Request) (*request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("body exceeds %d bytes", maxBody)
	}
	req := &request{
		method: r.Method, host: r.Host, path: r.URL.EscapedPath(), query: r.URL.Query(),
		header: r.Header, body: body, tls: r.TLS != nil, remote: r.RemoteAddr,
	}
	if req.header.Get("Content-Length") == "" && r.ContentLength > 0 {
		req.header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	req.params = formParams(req)
	req.signed = readSignature(req)
	return req, nil
}

// formParams joins the parameters of the URL with those of a form body.
func formParams(req *request) url.Values {
	params := url.Values{}
	for name, values := range req.query {
		params[name] = values
	}
	mediaType, _, err := mime.ParseMediaType(req.header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return params
	}
	form, err := url.ParseQuery(string(req.body))
	if err != nil {
		return params
	}
	for name, values := range form {
		params[name] = values
	}
	return params
}

// reply is an answer, and what becomes of it on the way.
type reply struct {
	requestID   string
	status      int // 0: the call was not processed
	contentType string
	body        []byte
	code        string // of an error
	location    string // of a redirect
	effect      bool   // the operation was carried out
	fault       *Fault
}

// with puts another answer in place of the one decided on.
func (r reply) with(other reply) reply {
	r.status, r.contentType, r.body, r.code = other.status, other.contentType, other.body, other.code
	return r
}

// send writes a reply, or does to the connection what its fault says.
func (s *Sim) send(w http.ResponseWriter, r *http.Request, out reply) {
	if out.fault.cut() {
		if out.fault.Kind == FaultHang {
			s.hang(r, out.fault)
		}
		cutConnection(w)
		return
	}
	header := w.Header()
	header.Set("Content-Type", out.contentType)
	header.Set("X-Amzn-Requestid", out.requestID)
	header.Set("Date", s.Now().Format(http.TimeFormat)) // clients measure their skew by it
	if out.location != "" {
		header.Set("Location", out.location)
	}
	header.Set("Content-Length", strconv.Itoa(len(out.body)))
	w.WriteHeader(out.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.body) // the client may be gone
	}
}

// hang waits as a hang fault says: until the client leaves, or for a time.
func (s *Sim) hang(r *http.Request, f *Fault) {
	if f.Duration > 0 {
		s.wait(r.Context(), f.Duration)
		return
	}
	select {
	case <-r.Context().Done():
	case <-s.closed:
	}
}

// cutConnection ends a connection without a reply, with a reset on TCP.
func cutConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	reset(conn)
}
