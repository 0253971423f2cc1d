package awscontract

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// password meets the default password policy.
func password() string { return "aA1!" + rand.Text() }

// sshPublicKey is an RSA key in the format of OpenSSH (RFC 4253, 6.6).
var sshPublicKey = sync.OnceValue(func() string {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	var blob []byte
	for _, part := range [][]byte{[]byte("ssh-rsa"), big.NewInt(int64(key.E)).Bytes(), append([]byte{0}, key.N.Bytes()...)} {
		blob = append(binary.BigEndian.AppendUint32(blob, uint32(len(part))), part...)
	}
	return "ssh-rsa " + base64.StdEncoding.EncodeToString(blob) + " contract"
})

// certificate is a self-signed X.509 certificate.
func certificate() string {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{SerialNumber: big.NewInt(now().UnixNano()), NotBefore: now().Add(-time.Hour), NotAfter: now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// device is a virtual MFA device.
type device struct {
	serial string
	seed   []byte
}

// device makes a virtual MFA device and enables it for a user.
func (w *world) device(user string) device {
	name := w.name(aDevice)
	out := must(w.admin.iam.CreateVirtualMFADevice(w.ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name, Path: &w.path}))
	d := device{serial: aws.ToString(out.VirtualMFADevice.SerialNumber)}
	w.made = append(w.made, thing{aDevice, d.serial})
	d.seed = must(base32.StdEncoding.DecodeString(string(out.VirtualMFADevice.Base32StringSeed)))
	must(w.admin.iam.EnableMFADevice(w.ctx, &iam.EnableMFADeviceInput{
		UserName: &user, SerialNumber: &d.serial,
		AuthenticationCode1: aws.String(d.code(-1)), AuthenticationCode2: aws.String(d.code(0)),
	}))
	return d
}

// code is what the device shows steps of 30 seconds from now (RFC 6238 with
// SHA-1 and six digits). A code is taken once: to enable the device takes those
// of the last step and this one, so that the next one's is left.
func (d device) code(steps int64) string {
	mac := hmac.New(sha1.New, d.seed)
	_ = binary.Write(mac, binary.BigEndian, now().Unix()/30+steps) // a hash never fails
	digest := mac.Sum(nil)
	offset := digest[len(digest)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(digest[offset:])&0x7fffffff)%1_000_000)
}
