package deps

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	block   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks follows every link of a page that leads to a file of the repository,
// and to a heading in it.
func TestLinks(t *testing.T) {
	for _, page := range mustPages(t) {
		for _, match := range link.FindAllStringSubmatch(withoutBlocks(t, page), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, ":") {
				continue // of the web
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s: %v", page, match[1], err)
			} else if anchor != "" && !slices.Contains(anchorsOf(t, path), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, match[1])
			}
		}
	}
}

// mustPages are the Markdown files of the repository.
func mustPages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil || len(pages) < 10 {
		t.Fatalf("pages: %q, %v", pages, err)
	}
	return pages
}

func withoutBlocks(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return block.ReplaceAllString(string(text), "")
}

// anchorsOf are the headings of a page as links name them.
func anchorsOf(t *testing.T, page string) []string {
	t.Helper()
	var anchors []string
	for _, match := range heading.FindAllStringSubmatch(withoutBlocks(t, page), -1) {
		slug := noSlug.ReplaceAllString(strings.ToLower(match[1]), "")
		anchors = append(anchors, strings.ReplaceAll(slug, " ", "-"))
	}
	return anchors
}

// TestVersionIsOne: what names the version besides VERSION names that one.
func TestVersionIsOne(t *testing.T) {
	text, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(text))
	named := regexp.MustCompile(`(?:ARG VERSION|-version|-plugin-version)=(v[\d.]+)`)
	for _, page := range append(mustPages(t), "../../Containerfile") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllSubmatch(text, -1) {
			if string(match[1]) != version {
				t.Errorf("%s has %s, VERSION is %s", page, match[0], version)
			}
		}
	}
}
