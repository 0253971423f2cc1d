package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSessionIsDrawn holds the committed picture to the committed recording.
func TestSessionIsDrawn(t *testing.T) {
	cast, err := os.ReadFile("../../" + castFile)
	if err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile("../../" + svgFile)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := readCast(cast)
	if err != nil || len(frames) == 0 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	if svgOf(frames) != string(svg) {
		t.Error("the picture is not of this recording: run go run ./scripts/record")
	}
	if string(castOf(frames)) != string(cast) {
		t.Error("the recording is not written as it is read")
	}
}

func TestFramesOf(t *testing.T) {
	out := "Hello.\n\n# A remark.\n\n$ vault read aws/creds/reader\nKey  Value\naccess_key     AKIASOXL3ZOI5JGYQGS6\nsecret_key     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\n\nBye.\n"
	want := []frame{
		{0, "Hello.\n\n"},
		{1.4, "# A remark.\n\n"},
		{2.8, "$ vault read aws/creds/reader\n"},
		{3.4, "Key  Value\naccess_key     AKIASOXL…\nsecret_key     CIq07FV+…\n\n"},
		{5.4, "Bye.\n"},
	}
	if diff := cmp.Diff(want, framesOf(tidied(out)), cmp.AllowUnexported(frame{})); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

// TestPictureIsXML: whatever a command prints, and lines longer than the terminal.
func TestPictureIsXML(t *testing.T) {
	svg := svgOf([]frame{{0, "$ a <b> & \"c\"\n"}, {1, strings.Repeat("ä", 3*columns) + "\n"}})
	decoder := xml.NewDecoder(strings.NewReader(svg))
	texts := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "text" {
			texts++
		}
	}
	if texts != 4 {
		t.Errorf("%d lines, want 4", texts)
	}
}
