package awssim

// userOperations are IAM's operations on users, their keys, tags and login
// profiles.
func userOperations() []operation {
	orCaller := optionalIn("UserName", existingUserNameType)
	marker, maxItems := optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)
	named, keyID := demanded("UserName", existingUserNameType), demanded("AccessKeyId", accessKeyIDType)
	loginName := optionalIn("UserName", userNameType)
	return []operation{
		{
			name: "CreateUser", target: "UserName", asks: onNewUser, run: createUser,
			members: []member{
				optionalIn("Path", pathType), required("UserName", userNameType),
				optionalIn("PermissionsBoundary", arnType), optionalIn("Tags", tagListType),
			},
		},
		{name: "GetUser", target: "UserName", asks: onUserOrCaller, run: getUser, members: []member{orCaller}},
		{
			name: "ListUsers", asks: onUsers, run: listUsers,
			members: []member{optionalIn("PathPrefix", pathPrefixType), marker, maxItems},
		},
		{
			name: "UpdateUser", target: "UserName", asks: onUpdatedUser, run: updateUser,
			members: []member{named, optionalIn("NewPath", pathType), optionalIn("NewUserName", userNameType)},
		},
		{name: "DeleteUser", target: "UserName", asks: onUser, run: deleteUser, members: []member{named}},
		{
			name: "CreateAccessKey", target: "UserName", asks: onUserOrCaller, run: createAccessKey,
			members: []member{orCaller},
		},
		{
			name: "UpdateAccessKey", target: "UserName", asks: onUserOrCaller, run: updateAccessKey,
			members: []member{orCaller, keyID, demanded("Status", statusType)},
		},
		{
			name: "DeleteAccessKey", target: "UserName", asks: onUserOrCaller, run: deleteAccessKey,
			members: []member{orCaller, keyID},
		},
		{
			name: "ListAccessKeys", target: "UserName", asks: onUserOrCaller, run: listAccessKeys,
			members: []member{orCaller, marker, maxItems},
		},
		{name: "GetAccessKeyLastUsed", asks: onKeyOwner, run: getAccessKeyLastUsed, members: []member{keyID}},
		{
			name: "CreateLoginProfile", target: "UserName", asks: onUserOrCaller, run: createLoginProfile,
			members: []member{loginName, optionalIn("Password", passwordType), optionalIn("PasswordResetRequired", booleanType)},
		},
		{name: "GetLoginProfile", target: "UserName", asks: onUserOrCaller, run: getLoginProfile, members: []member{loginName}},
		{name: "DeleteLoginProfile", target: "UserName", asks: onUserOrCaller, run: deleteLoginProfile, members: []member{loginName}},
	}
}
