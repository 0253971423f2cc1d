//go:build race

package awssim_test

import "time"

// month is a week where the race detector makes all calls ten times as slow.
const month = 7 * 24 * time.Hour
