package awssim

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	seedBytes = 40 // AWS's seeds have 64 base32 characters
	totpStep  = 30 * time.Second
	// maxDevices is IAM's quota of MFA devices per user.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	maxDevices = 8
)

// mfaOperations are IAM's operations on virtual MFA devices.
func mfaOperations() []operation {
	serial := required("SerialNumber", serialNumberType)
	return []operation{
		{
			name: "CreateVirtualMFADevice", target: "VirtualMFADeviceName", asks: onNewDevice, run: createVirtualMFADevice,
			members: []member{
				optionalIn("Path", pathType), required("VirtualMFADeviceName", virtualMFADeviceName), optionalIn("Tags", tagListType),
			},
		},
		{
			name: "EnableMFADevice", target: "UserName", asks: onUser, run: enableMFADevice,
			members: []member{
				required("UserName", existingUserNameType), serial,
				required("AuthenticationCode1", authenticationCodeType), required("AuthenticationCode2", authenticationCodeType),
			},
		},
		{
			name: "DeactivateMFADevice", target: "UserName", asks: onUserOrCaller, run: deactivateMFADevice,
			members: []member{optionalIn("UserName", existingUserNameType), serial},
		},
		{name: "DeleteVirtualMFADevice", asks: onDevice, run: deleteVirtualMFADevice, members: []member{serial}},
		{
			name: "ListMFADevices", target: "UserName", asks: onUserOrCaller, run: listMFADevices,
			members: []member{
				optionalIn("UserName", existingUserNameType), optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType),
			},
		},
	}
}

// newSerial is the ARN of the device that the call would make.
func (c *call) newSerial() string {
	return c.account.arn(serviceIAM, "mfa"+c.pathInput()+c.in.text("VirtualMFADeviceName"))
}

func onNewDevice(c *call) []ask { return c.askWithTags(c.newSerial(), "iam:TagMFADevice") }
func onDevice(c *call) []ask    { return c.ask(c.in.text("SerialNumber"), nil) }

// createVirtualMFADevice returns the seed, once. Both elements are base64 on
// the wire: the seed's base32 text, and a picture that here is only the URI
// which the picture would show.
func createVirtualMFADevice(c *call) ([]node, error) {
	serial := c.newSerial()
	if c.account.devices[serial] != nil {
		return nil, alreadyExists("MFADevice entity at the same path and name already exists.")
	}
	tags, err := exactTags().add(nil, c.in.tags("Tags"))
	if err != nil {
		return nil, err
	}
	d := &mfaDevice{
		serial: serial, path: c.pathInput(), name: c.in.text("VirtualMFADeviceName"),
		seed: c.sim.ids.bytes(seedBytes), tags: tags,
	}
	c.account.devices[serial] = d
	seed := base32.StdEncoding.EncodeToString(d.seed)
	uri := fmt.Sprintf("otpauth://totp/Amazon%%20Web%%20Services:%s@%s?secret=%s", d.name, c.account.id, seed)
	return []node{branch("VirtualMFADevice",
		leaf("SerialNumber", serial),
		leaf("Base32StringSeed", base64.StdEncoding.EncodeToString([]byte(seed))),
		leaf("QRCodePNG", base64.StdEncoding.EncodeToString([]byte(uri))))}, nil
}

// TOTP is the code that a virtual MFA device with a base32 seed shows at a
// time (RFC 6238 with SHA-1, 30 seconds and six digits, as AWS uses it).
func TOTP(seed string, at time.Time) (string, error) {
	key, err := base32.StdEncoding.DecodeString(strings.ToUpper(seed))
	if err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	return totp(key, step(at)), nil
}

func step(at time.Time) int64 { return at.Unix() / int64(totpStep/time.Second) }

func totp(key []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	digest := mac.Sum(nil)
	offset := digest[len(digest)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(digest[offset:])&0x7fffffff)%1_000_000)
}

// accept takes a code of the step before, now or after, once.
func (d *mfaDevice) accept(code string, now time.Time) bool {
	for s := step(now) - 1; s <= step(now)+1; s++ {
		if s > d.lastStep && totp(d.seed, s) == code {
			d.lastStep = s
			return true
		}
	}
	return false
}

// namedDevice is the device of the call's SerialNumber.
func (c *call) namedDevice() (*mfaDevice, error) {
	serial := c.in.text("SerialNumber")
	if d := c.account.devices[serial]; d != nil {
		return d, nil
	}
	return nil, noSuchEntity("VirtualMFADevice with serial number %s doesn't exist.", serial)
}

// enableMFADevice needs two codes that follow one another.
func enableMFADevice(c *call) ([]node, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	d, err := c.namedDevice()
	if err != nil {
		return nil, err
	}
	if d.owner != nil {
		return nil, alreadyExists("MFADevice with serial number %s is already in use.", d.serial)
	}
	if len(u.devices) >= maxDevices {
		return nil, limitExceeded("Cannot exceed quota for MFADevicesPerUser: %d", maxDevices)
	}
	if !d.acceptPair(c.in.text("AuthenticationCode1"), c.in.text("AuthenticationCode2"), c.now) {
		return nil, refuse("InvalidAuthenticationCode", http.StatusForbidden, "Authentication code for device is not valid")
	}
	d.owner, d.enabled = u, c.now
	u.devices = append(u.devices, d)
	return nil, nil
}

func (d *mfaDevice) acceptPair(first, second string, now time.Time) bool {
	for s := step(now) - 2; s <= step(now); s++ {
		if totp(d.seed, s) == first && totp(d.seed, s+1) == second {
			d.lastStep = s + 1
			return true
		}
	}
	return false
}

func deactivateMFADevice(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	d, err := c.namedDevice()
	if err != nil {
		return nil, err
	}
	if d.owner != u {
		return nil, noSuchEntity("MFA Device invalid for user.")
	}
	u.devices = slices.DeleteFunc(u.devices, func(other *mfaDevice) bool { return other == d })
	d.owner = nil
	return nil, nil
}

func deleteVirtualMFADevice(c *call) ([]node, error) {
	d, err := c.namedDevice()
	if err != nil {
		return nil, err
	}
	if d.owner != nil {
		return nil, refuse("DeleteConflict", http.StatusConflict, "MFA VirtualDevice in use. Must deactivate first.")
	}
	delete(c.account.devices, d.serial)
	return nil, nil
}

func listMFADevices(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	return listing(c, "MFADevices", slices.Clone(u.devices), func(d *mfaDevice) string { return d.serial },
		func(d *mfaDevice) []node {
			return append(optional("UserName", u.name), leaf("SerialNumber", d.serial), stamp("EnableDate", d.enabled))
		})
}
