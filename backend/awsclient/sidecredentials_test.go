package awsclient_test

import (
	"testing"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

// TestSideCredentials: of each kind every page is listed, what is listed can be
// removed, and then there is nothing that keeps the user.
func TestSideCredentials(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind  lifecycle.SideCredential
		acts  []awssim.Interference
		calls []string
	}{
		{
			lifecycle.LoginProfile,
			[]awssim.Interference{{Act: awssim.ActAddLogin}},
			[]string{"iam:DeleteLoginProfile"},
		}, {
			lifecycle.ServiceCredential,
			[]awssim.Interference{{Act: awssim.ActAddServiceKey}, {Act: awssim.ActAddServiceKey, Value: "codecommit.amazonaws.com"}},
			[]string{"iam:ListServiceSpecificCredentials", "iam:ListServiceSpecificCredentials", "iam:DeleteServiceSpecificCredential", "iam:DeleteServiceSpecificCredential"},
		}, {
			lifecycle.MFADevice,
			[]awssim.Interference{{Act: awssim.ActAddMFA, Value: "one"}, {Act: awssim.ActAddMFA, Value: "two"}},
			[]string{
				"iam:ListMFADevices", "iam:ListMFADevices",
				"iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice", "iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice",
			},
		}, {
			lifecycle.SSHKey,
			[]awssim.Interference{{Act: awssim.ActAddSSHKey}, {Act: awssim.ActAddSSHKey}},
			[]string{"iam:ListSSHPublicKeys", "iam:ListSSHPublicKeys", "iam:DeleteSSHPublicKey", "iam:DeleteSSHPublicKey"},
		}, {
			lifecycle.SigningCertificate,
			[]awssim.Interference{{Act: awssim.ActAddCert}, {Act: awssim.ActAddCert}},
			[]string{"iam:ListSigningCertificates", "iam:ListSigningCertificates", "iam:DeleteSigningCertificate", "iam:DeleteSigningCertificate"},
		},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			cloud := newCloud(t, awssim.Options{Settings: awssim.Settings{PageSize: 1}})
			client := mustClient(t, cloud.settings())
			mustDo(t, client.DeleteAccessKey(t.Context(), "vault-a", cloud.PutUser(account, "vault-a", "").AccessKey))
			for _, act := range tc.acts {
				act.User = "vault-a"
				_, err := cloud.Interfere(act)
				mustDo(t, err)
			}
			err := client.DeleteUser(t.Context(), "vault-a")
			mustFail(t, err, failed{"iam:DeleteUser", awserr.InUse, "DeleteConflict", 409})
			mustRemoveAll(t, client, tc.kind)
			mustDo(t, client.DeleteUser(t.Context(), "vault-a"))
			want := append(append([]string{"iam:DeleteAccessKey", "iam:DeleteUser"}, tc.calls...), "iam:DeleteUser")
			if diff := cmp.Diff(want, cloud.actions()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

func mustRemoveAll(t *testing.T, client *awsclient.Client, kind lifecycle.SideCredential) {
	t.Helper()
	ids, err := client.ListSideCredentials(t.Context(), "vault-a", kind)
	mustDo(t, err)
	for _, id := range ids {
		mustDo(t, client.DeleteSideCredential(t.Context(), "vault-a", kind, id))
	}
}

// TestNoVirtualDevice: security keys and hardware tokens are only deactivated;
// there is nothing else that IAM could delete of them.
func TestNoVirtualDevice(t *testing.T) {
	t.Parallel()
	for name, serial := range map[string]string{
		"security key":   "arn:aws:iam::123456789012:u2f/user/vault-a/key-ABC",
		"hardware token": "GAHT12345678",
	} {
		t.Run(name, func(t *testing.T) {
			server := newRecorder(t, answering(200, result("DeactivateMFADevice", "")))
			mustDo(t, mustClient(t, server.settings()).DeleteSideCredential(t.Context(), "vault-a", lifecycle.MFADevice, serial))
			want := []request{{
				form:  map[string][]string{"Action": {"DeactivateMFADevice"}, "UserName": {"vault-a"}, "SerialNumber": {serial}},
				scope: "us-east-1/iam", key: "AKIASTATIC",
			}}
			if diff := cmp.Diff(want, server.seen(), cmp.AllowUnexported(request{})); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
