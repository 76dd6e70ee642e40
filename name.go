package spate

import (
	neturl "net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/source"
)

const (
	maxName     = 255                  // bytes a file system allows
	fileSuffix  = "-file"              // and the index, of a file of a sequence
	suffixRoom  = len(fileSuffix) + 19 // digits of the greatest index
	maxExt      = 16                   // of which the end of a long name is spared
	defaultName = "download"           // where there is nothing to name a file after
	reserved    = `<>:"/\|?*`          // by Windows; some by all
)

// outputName names the file for what was opened at url: after what the origin proposes if disposition, else after the
// last element of url's path. A manifest's name goes without .parts. The name is one element of a path, fit for any
// file system, with room left for the suffixes it gets. What is remote never decides more than that.
func outputName(url string, info source.Info, disposition bool) string {
	names := []string{afterSlash(info.Name), lastElement(url)}
	if !disposition {
		names = names[1:]
	}
	for _, name := range names {
		if isManifest(url, info) {
			name = strings.TrimSuffix(name, ".parts")
		}
		if name = safeName(name); name != "" {
			return name
		}
	}
	return defaultName
}

// lastElement is the last element of the path of url, unescaped; "" if there is none.
func lastElement(url string) string {
	u, err := neturl.Parse(url)
	if err != nil {
		return ""
	}
	last := path.Base(u.EscapedPath())
	if name, err := neturl.PathUnescape(last); err == nil {
		last = name
	}
	return afterSlash(last)
}

// afterSlash is what follows the last separator of either kind, unless that is at the end.
func afterSlash(name string) string {
	name = strings.TrimRight(name, `/\`)
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// safeName makes name one that can be used anywhere: no separators, no control characters, none that Windows reserves,
// none that changes the direction of writing, no dot in front (a hidden file), nor a hyphen (an option of whatever command
// gets it from a wildcard), no device, no journal, and not too long. "" if nothing is left.
func safeName(name string) string {
	name = strings.Map(safeRune, strings.ToValidUTF8(strings.TrimSpace(name), "_"))
	name = strings.TrimRight(name, ". ")
	if name == "" {
		return ""
	}
	if name[0] == '.' || name[0] == '-' {
		name = "_" + name[1:]
	}
	if isDevice(name) {
		name = "_" + name
	}
	return noJournal(shorten(name, maxName-suffixRoom-len(fetch.Ext)))
}

// noJournal is name, or another one where a journal beside another file is called so: what is remote is not to say what is there of that.
func noJournal(name string) string {
	for _, ext := range journal.Names(journal.Ext) {
		if strings.HasSuffix(strings.ToLower(name), ext) {
			last := strings.LastIndexByte(name, '.')
			return name[:last] + "_" + name[last+1:]
		}
	}
	return name
}

func safeRune(r rune) rune {
	if ' ' < r && r < utf8.RuneSelf-1 && !strings.ContainsRune(reserved, r) { // as nearly all are
		return r
	}
	if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || strings.ContainsRune(reserved, r) {
		return '_'
	}
	return r
}

// isDevice tells whether Windows takes name for a device, whatever its extension.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimRight(stem, " ")
	if len(stem) == 4 && stem[3] >= '0' && stem[3] <= '9' {
		return stem[:3] == "COM" || stem[:3] == "LPT"
	}
	return stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL"
}

// shorten cuts name to limit bytes, whole characters, out of the middle if it has an extension.
func shorten(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > maxExt {
		ext = ""
	}
	cut := limit - len(ext)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strings.TrimRight(name[:cut], ". ") + ext
}
