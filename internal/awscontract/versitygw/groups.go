package main

import "github.com/versity/versitygw/tests/integration"

// group is one of versitygw's exported groups of test cases.
type group struct {
	name string
	run  func(*integration.TestState)
}

// groups are all that integration.TestIAM runs, in its order.
func groups() []group {
	return []group{
		{"Auth", integration.TestIAMAuth},
		{"QueryAuth", integration.TestIAMQueryAuth},
		{"CreateUser", integration.TestIAMCreateUser},
		{"GetUser", integration.TestIAMGetUser},
		{"ListUsers", integration.TestIAMListUsers},
		{"DeleteUser", integration.TestIAMDeleteUser},
		{"UpdateUser", integration.TestIAMUpdateUser},
		{"TagUser", integration.TestIAMTagUser},
		{"UntagUser", integration.TestIAMUntagUser},
		{"ListUserTags", integration.TestIAMListUserTags},
		{"CreateAccessKey", integration.TestIAMCreateAccessKey},
		{"UpdateAccessKey", integration.TestIAMUpdateAccessKey},
		{"DeleteAccessKey", integration.TestIAMDeleteAccessKey},
		{"GetAccessKeyLastUsed", integration.TestIAMGetAccessKeyLastUsed},
		{"ListAccessKeys", integration.TestIAMListAccessKeys},
		{"PutUserPolicy", integration.TestIAMPutUserPolicy},
		{"GetUserPolicy", integration.TestIAMGetUserPolicy},
		{"DeleteUserPolicy", integration.TestIAMDeleteUserPolicy},
		{"ListUserPolicies", integration.TestIAMListUserPolicies},
		{"CreateRole", integration.TestIAMCreateRole},
		{"GetRole", integration.TestIAMGetRole},
		{"ListRoles", integration.TestIAMListRoles},
		{"DeleteRole", integration.TestIAMDeleteRole},
		{"UpdateAssumeRolePolicy", integration.TestIAMUpdateAssumeRolePolicy},
		{"TagRole", integration.TestIAMTagRole},
		{"UntagRole", integration.TestIAMUntagRole},
		{"ListRoleTags", integration.TestIAMListRoleTags},
		{"PutRolePolicy", integration.TestIAMPutRolePolicy},
		{"GetRolePolicy", integration.TestIAMGetRolePolicy},
		{"DeleteRolePolicy", integration.TestIAMDeleteRolePolicy},
		{"ListRolePolicies", integration.TestIAMListRolePolicies},
		{"CreateOpenIDConnectProvider", integration.TestIAMCreateOpenIDConnectProvider},
		{"GetOpenIDConnectProvider", integration.TestIAMGetOpenIDConnectProvider},
		{"ListOpenIDConnectProviders", integration.TestIAMListOpenIDConnectProviders},
		{"DeleteOpenIDConnectProvider", integration.TestIAMDeleteOpenIDConnectProvider},
		{"AddClientIDToOpenIDConnectProvider", integration.TestIAMAddClientIDToOpenIDConnectProvider},
		{"RemoveClientIDFromOpenIDConnectProvider", integration.TestIAMRemoveClientIDFromOpenIDConnectProvider},
		{"UpdateOpenIDConnectProviderThumbprint", integration.TestIAMUpdateOpenIDConnectProviderThumbprint},
		{"TagOpenIDConnectProvider", integration.TestIAMTagOpenIDConnectProvider},
		{"UntagOpenIDConnectProvider", integration.TestIAMUntagOpenIDConnectProvider},
		{"ListOpenIDConnectProviderTags", integration.TestIAMListOpenIDConnectProviderTags},
		{"AssumeRoleWithWebIdentity", integration.TestIAMAssumeRoleWithWebIdentity},
		{"GetCallerIdentity", integration.TestIAMGetCallerIdentity},
		{"AccessControl", integration.TestIAMAccessControl},
	}
}
