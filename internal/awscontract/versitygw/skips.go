package main

// skips are the cases that the simulator does not pass, with the reason why
// it should not: each would have it answer otherwise than AWS does.
func skips() map[string]string {
	return map[string]string{
		"IAMCreateOpenIDConnectProvider_client_id_too_long": "AWS words a broken element of a plain list as it does for TagKeys, " +
			"naming the list; versitygw names a clientID",
		"IAMAssumeRoleWithWebIdentity_missing_role_arn": "AWS reports every missing member at once; versitygw stops at the first",
		"IAMAssumeRoleWithWebIdentity_policy_arns_rejected": "AWS takes PolicyArns, and so does the simulator; " +
			"versitygw refuses what it does not implement",
		"IAMAssumeRoleWithWebIdentity_provider_id_rejected": "AWS takes ProviderId, and so does the simulator; " +
			"versitygw refuses what it does not implement",
	}
}
