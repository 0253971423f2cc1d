package backend

import "vault-plugin-secrets-aws/backend/metrics"

// DescribedMetrics are the metrics of a mount as they are declared.
func DescribedMetrics() []metrics.Described {
	return metrics.New(callTimer, metricsTable()).Describe()
}
