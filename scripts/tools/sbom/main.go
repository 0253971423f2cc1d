// Command sbom writes what Go binaries are made of as CycloneDX 1.6, each beside
// its binary:
//
//	sbom VERSION BINARY...      writes BINARY.cdx.json
//
// It reads what the linker wrote into the binary, so it lists the modules that are
// in it and no others. There is no time and no serial number: equal binaries have
// equal SBOMs.
package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION BINARY...")
		os.Exit(2)
	}
	for _, binary := range os.Args[2:] {
		if err := describe(os.Args[1], binary); err != nil {
			fmt.Fprintln(os.Stderr, "sbom:", err)
			os.Exit(1)
		}
	}
}

// describe writes the SBOM of one binary.
func describe(version, binary string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	out, err := os.Create(binary + ".cdx.json")
	if err != nil {
		return err
	}
	defer out.Close()
	bom := billOf(version, filepath.Base(binary), sha256.Sum256(content), info)
	return cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
}

// billOf lists the Go release and the modules of a binary.
func billOf(version, name string, sum [sha256.Size]byte, info *debug.BuildInfo) *cdx.BOM {
	application := cdx.Component{
		BOMRef: name, Type: cdx.ComponentTypeApplication, Name: name, Version: version,
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "MPL-2.0"}}},
		Properties: settings(info),
	}
	parts := []cdx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, module := range info.Deps {
		used := cmp.Or(module.Replace, module)
		parts = append(parts, library(used.Path, used.Version))
	}
	refs := make([]string, len(parts))
	for i, part := range parts {
		refs[i] = part.BOMRef
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &application}
	bom.Components = &parts
	bom.Dependencies = &[]cdx.Dependency{{Ref: name, Dependencies: &refs}}
	return bom
}

func library(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}

// settings are those of the build, -trimpath and the platform among them.
func settings(info *debug.BuildInfo) *[]cdx.Property {
	var properties []cdx.Property
	for _, setting := range info.Settings {
		properties = append(properties, cdx.Property{Name: "go:build:" + setting.Key, Value: setting.Value})
	}
	return &properties
}
