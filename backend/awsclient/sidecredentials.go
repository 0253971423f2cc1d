package awsclient

import (
	"context"
	"strings"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// sideCalls are IAM's calls for one kind of side credential.
type sideCalls struct {
	list   func(ctx context.Context, user string) (ids []string, err error)
	remove func(ctx context.Context, user, id string) error
}

// sideCalls are the calls of a kind; lifecycle declares the kinds.
func (c *Client) sideCalls(kind lifecycle.SideCredential) sideCalls {
	return map[lifecycle.SideCredential]sideCalls{
		lifecycle.LoginProfile:       {anyLoginProfile, c.deleteLoginProfile},
		lifecycle.ServiceCredential:  {c.listServiceCredentials, c.deleteServiceCredential},
		lifecycle.MFADevice:          {c.listMFADevices, c.removeMFADevice},
		lifecycle.SSHKey:             {c.listSSHKeys, c.deleteSSHKey},
		lifecycle.SigningCertificate: {c.listCertificates, c.deleteCertificate},
	}[kind]
}

// ListSideCredentials implements lifecycle.UserRemover.
func (c *Client) ListSideCredentials(ctx context.Context, user string, kind lifecycle.SideCredential) (ids []string, err error) {
	return c.sideCalls(kind).list(ctx, user)
}

// DeleteSideCredential implements lifecycle.UserRemover.
func (c *Client) DeleteSideCredential(ctx context.Context, user string, kind lifecycle.SideCredential, id string) error {
	return c.sideCalls(kind).remove(ctx, user, id)
}

// anyLoginProfile asks nothing: deleting a profile that is not there costs as
// much as looking for it, and takes no permission to look.
func anyLoginProfile(context.Context, string) ([]string, error) { return []string{""}, nil }

func (c *Client) deleteLoginProfile(ctx context.Context, user, _ string) error {
	_, err := c.iam.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: &user})
	return wrap("iam:DeleteLoginProfile", err)
}

// listServiceCredentials follows the markers itself: the SDK has no paginator.
func (c *Client) listServiceCredentials(ctx context.Context, user string) (ids []string, err error) {
	in := &iam.ListServiceSpecificCredentialsInput{UserName: &user}
	for {
		page, err := c.iam.ListServiceSpecificCredentials(ctx, in)
		if err != nil {
			return nil, wrap("iam:ListServiceSpecificCredentials", err)
		}
		for _, credential := range page.ServiceSpecificCredentials {
			ids = append(ids, aws.ToString(credential.ServiceSpecificCredentialId))
		}
		if !page.IsTruncated || aws.ToString(page.Marker) == "" {
			return ids, nil
		}
		in.Marker = page.Marker
	}
}

func (c *Client) deleteServiceCredential(ctx context.Context, user, id string) error {
	_, err := c.iam.DeleteServiceSpecificCredential(ctx, &iam.DeleteServiceSpecificCredentialInput{UserName: &user, ServiceSpecificCredentialId: &id})
	return wrap("iam:DeleteServiceSpecificCredential", err)
}

func (c *Client) listMFADevices(ctx context.Context, user string) (serials []string, err error) {
	pages := iam.NewListMFADevicesPaginator(c.iam, &iam.ListMFADevicesInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListMFADevices", err)
		}
		for _, device := range page.MFADevices {
			serials = append(serials, aws.ToString(device.SerialNumber))
		}
	}
	return serials, nil
}

// removeMFADevice takes a device off its user, which is what frees the user. A
// virtual one would then be left in the account, of use to nobody.
func (c *Client) removeMFADevice(ctx context.Context, user, serial string) error {
	_, err := c.iam.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: &user, SerialNumber: &serial})
	if err != nil || !isVirtual(serial) {
		return wrap("iam:DeactivateMFADevice", err)
	}
	_, err = c.iam.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &serial})
	return wrap("iam:DeleteVirtualMFADevice", err)
}

// isVirtual tells virtual devices (arn:aws:iam::…:mfa/name) from security keys
// (arn:aws:iam::…:u2f/…) and hardware tokens (GAHT12345678).
func isVirtual(serial string) bool { return strings.Contains(serial, ":mfa/") }

func (c *Client) listSSHKeys(ctx context.Context, user string) (ids []string, err error) {
	pages := iam.NewListSSHPublicKeysPaginator(c.iam, &iam.ListSSHPublicKeysInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListSSHPublicKeys", err)
		}
		for _, key := range page.SSHPublicKeys {
			ids = append(ids, aws.ToString(key.SSHPublicKeyId))
		}
	}
	return ids, nil
}

func (c *Client) deleteSSHKey(ctx context.Context, user, id string) error {
	_, err := c.iam.DeleteSSHPublicKey(ctx, &iam.DeleteSSHPublicKeyInput{UserName: &user, SSHPublicKeyId: &id})
	return wrap("iam:DeleteSSHPublicKey", err)
}

func (c *Client) listCertificates(ctx context.Context, user string) (ids []string, err error) {
	pages := iam.NewListSigningCertificatesPaginator(c.iam, &iam.ListSigningCertificatesInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListSigningCertificates", err)
		}
		for _, certificate := range page.Certificates {
			ids = append(ids, aws.ToString(certificate.CertificateId))
		}
	}
	return ids, nil
}

func (c *Client) deleteCertificate(ctx context.Context, user, id string) error {
	_, err := c.iam.DeleteSigningCertificate(ctx, &iam.DeleteSigningCertificateInput{UserName: &user, CertificateId: &id})
	return wrap("iam:DeleteSigningCertificate", err)
}
