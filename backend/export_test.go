package backend

import "vault-plugin-secrets-aws/backend/metrics"

// What the table of errors needs of the inside.
var (
	Respond    = respond
	Invalid    = invalid
	ErrNotYet  = errNotYet
	ErrTooLate = errTooLate
)

// DescribedMetrics are the metrics of a mount as they are declared.
func DescribedMetrics() []metrics.Described {
	return metrics.New(callTimer, metricsTable()).Describe()
}
