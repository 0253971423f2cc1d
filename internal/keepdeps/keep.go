package keepdeps

import (
	_ "github.com/aws/aws-sdk-go-v2/config"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/hashicorp/go-hclog"
	_ "github.com/hashicorp/go-plugin"
	_ "github.com/hashicorp/go-secure-stdlib/base62"
	_ "github.com/hashicorp/go-secure-stdlib/parseutil"
	_ "github.com/hashicorp/vault/sdk/framework"
	_ "github.com/hashicorp/vault/sdk/helper/template"
	_ "github.com/hashicorp/vault/sdk/plugin"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "pgregory.net/rapid"
)
