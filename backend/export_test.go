package backend

import (
	"fmt"
	"slices"

	"vault-plugin-secrets-aws/backend/metrics"
)

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

// Undescribed are the operations without a row in the table of the API, and the
// rows without an operation.
func (b *Backend) Undescribed() (operations []string) {
	table := apiTable()
	for _, p := range b.Paths {
		for kind := range p.Operations {
			if _, described := table[p.Pattern][kind]; !described {
				operations = append(operations, fmt.Sprintf("%s of %s has no row", kind, p.Pattern))
			}
			delete(table[p.Pattern], kind)
		}
	}
	for pattern, rows := range table {
		for kind := range rows {
			operations = append(operations, fmt.Sprintf("%s of %s has a row and no operation", kind, pattern))
		}
	}
	slices.Sort(operations)
	return operations
}
