// Package backend is the Vault face of the engine: paths, leases, storage and
// the mount's background worker. It is the only package that imports
// sdk/framework.
//
// # Paths
//
//	config/root     root credentials and how AWS is reached
//	config/rotate-root  a new root key
//	config/lease    how long IAM user credentials live
//	roles           list of roles
//	roles/<name>    what a credential may do
//	creds/<name>    a new credential of a role, GET or POST
//	sts/<name>      the same
//	static-roles/<name>  an IAM user whose key is rotated
//	static-creds/<name>  that key
//	rotate-role/<name>   a new one, now
//	users, users/<name>, lookup  the IAM users that the mount has made
//	tidy, tidy-status, tidy-cancel  what should not be there, and what is owed
//	metrics         the figures of this mount on this node
//
// Storage is described in package store.
//
// # Packages
//
//	store      records, their rules, their keys, legacy formats
//	governor   when which AWS call may be made
//	lifecycle  makes AWS credentials and sees each one destroyed
//	awsclient  the AWS face: IAM and STS by the SDK
//	awserr     why an AWS call failed, in terms we act on
//	naming     user and session names from templates
//	policy     IAM policy documents
//	metrics    how figures are kept and written down
//
// Reading order: paths.go, path_creds.go, credential_user.go, then package
// lifecycle from its doc.go; respond.go for what a client sees of an error.
package backend
