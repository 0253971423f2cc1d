package endurance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// TestHA is the short form of make ha.
func TestHA(t *testing.T) {
	t.Parallel()
	report, err := HA(t.Context(), HASpec{Binaries: mustFind(t), Changes: 2, Out: t.Output()})
	check(t, report, errors.Join(err, report.Err()))
	if report.Issued == 0 || report.Rotations == 0 {
		t.Error("there was nothing to lose")
	}
}

// TestLoad is the short form of the load before make soak.
func TestLoad(t *testing.T) {
	t.Parallel()
	report, err := Load(t.Context(), LoadSpec{Binaries: mustFind(t), Duration: 10 * time.Second})
	check(t, report, errors.Join(err, report.Err()))
	if report.Issued == 0 || report.Refused == 0 {
		t.Error("AWS did not throttle, or not only")
	}
}

func check(t *testing.T, report interface {
	fmt.Stringer
	Details() []string
}, err error,
) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	t.Log(strings.Join(append(report.Details(), report.String()), "\n"))
}

func mustFind(t *testing.T) devstack.Binaries {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	return binaries
}
