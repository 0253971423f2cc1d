//go:build !race

package awssim_test

import "time"

// month is the time that TestMonth lasts.
const month = 30 * 24 * time.Hour
