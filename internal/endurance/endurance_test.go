package endurance

import (
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"
)

// TestHA is the short form of make ha.
func TestHA(t *testing.T) {
	t.Parallel()
	report, err := HA(t.Context(), HASpec{Binaries: mustFind(t), Changes: 2, Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
	for _, text := range report.Refusals {
		t.Log(text)
	}
	if report.Issued == 0 || report.Rotations == 0 {
		t.Error("there was nothing to lose")
	}
	if report.Leaked != 0 || report.Doubled != 0 || report.Lost != 0 {
		t.Errorf("leaked %v, lost %v", report.LeakedUsers, report.LostRotations)
	}
}

func mustFind(t *testing.T) devstack.Binaries {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	return binaries
}
