package backend_test

import (
	"slices"
)

// allScenarios are the scenarios by subject.
func allScenarios() []scenario {
	return slices.Concat(configScenarios(), leaseScenarios(), roleScenarios(), userScenarios(), sessionScenarios(), failureScenarios(), rotateScenarios(), scheduleScenarios(), staticScenarios(), storageScenarios(), helpScenarios())
}
