package backend

import (
	"context"
	"net/http"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// formatPrometheus is the text format of Prometheus, as sys/metrics has it.
const formatPrometheus = "prometheus"

// pathMetrics serves metrics: the figures of this mount on this node. It is not
// forwarded, so a standby that answers reads does so for itself.
func (b *Backend) pathMetrics() *framework.Path {
	return &framework.Path{
		Pattern: "metrics",
		Fields: map[string]*framework.FieldSchema{
			"format": {Type: framework.TypeString, Query: true, Description: "prometheus: answer in the text format of Prometheus. Default: as fields."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: operation(b.readMetrics, "Read the figures of this mount on this node."),
		},
		HelpSynopsis:    "Read the figures of this mount on this node.",
		HelpDescription: help("metrics.txt"),
	}
}

// readMetrics handles a read of metrics. Neither answer has a lease.
func (b *Backend) readMetrics(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	format := d.Get("format").(string)
	if format != "" && format != formatPrometheus {
		return nil, invalid("format %q is not known: send prometheus, or leave it out", format)
	}
	now, err := b.figures(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if format == "" {
		values, err := b.metrics.Values(now)
		return &logical.Response{Data: values}, err
	}
	text, contentType, err := b.metrics.Text(now)
	return &logical.Response{Data: map[string]any{
		logical.HTTPStatusCode:  http.StatusOK,
		logical.HTTPContentType: contentType,
		logical.HTTPRawBody:     text,
	}}, err
}
