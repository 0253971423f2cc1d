package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Client calls the HTTP API of one Vault server. It repeats nothing, so that
// the caller knows what became of each request.
type Client struct {
	Addr  string // URL
	Token string
	HTTP  *http.Client // nil: http.DefaultClient
}

// Answer is what a Vault server answered.
type Answer struct {
	Status int
	Body   []byte
}

// Call sends one request; a path is such as "sys/health", a nil body is none.
// An error means that no answer came: what became of the request is not known.
func (c Client) Call(ctx context.Context, method, path string, body any) (Answer, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		sent = bytes.NewReader(text)
	}
	return c.send(ctx, method, path, sent)
}

// send is Call with a body of any kind; nil is none.
func (c Client) send(ctx context.Context, method, path string, body io.Reader) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Addr+"/v1/"+path, body)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("X-Vault-Token", c.Token)
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Answer{Status: resp.StatusCode, Body: text}, err
}

// Fetch is Call and Into: an answer that is not 2xx is an error too. A nil into
// leaves the answer's body alone.
func (c Client) Fetch(ctx context.Context, method, path string, body, into any) error {
	answer, err := c.Call(ctx, method, path, body)
	if err == nil {
		err = answer.Into(into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// OK reports whether the status is 2xx.
func (a Answer) OK() bool { return a.Status/100 == 2 }

// Into decodes the body of a 2xx; any other answer is an error.
func (a Answer) Into(into any) error {
	if !a.OK() {
		return fmt.Errorf("status %d: %s", a.Status, bytes.TrimSpace(a.Body))
	}
	if into == nil || len(a.Body) == 0 {
		return nil
	}
	return json.Unmarshal(a.Body, into)
}
