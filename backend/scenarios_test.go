package backend_test

import (
	"slices"
)

// allScenarios are the scenarios by subject.
func allScenarios() []scenario {
	return slices.Concat(
		configScenarios(), leaseScenarios(), roleScenarios(), userScenarios(), sideCredentialScenarios(), sessionScenarios(), formatScenarios(),
		failureScenarios(), recordScenarios(), rotateScenarios(), scheduleScenarios(), staticScenarios(), staticDefectScenarios(),
		replicationScenarios(), storageScenarios(), operatorScenarios(), secretScenarios(), injectionScenarios(), lifetimeScenarios(), attributionScenarios(), propagationScenarios(), defectScenarios(), helpScenarios(), metricsScenarios(),
	)
}
