package metalink

import (
	"encoding/xml"
	"strconv"
)

// version3 reads a Metalink 3 file, of which there is no RFC: what version 4 has too, as version 4 has it.
func (d *decoder) version3(root xml.StartElement) error {
	d.out.Generator = attr(root, "generator")
	if url := attr(root, "origin"); checkURL(url) == nil {
		d.out.Origin = Origin{URL: url, Dynamic: attr(root, "type") == "dynamic"}
	}
	return d.children(func(e xml.StartElement) error {
		if e.Name.Local != "files" {
			return d.skip()
		}
		return d.children(func(e xml.StartElement) error {
			if e.Name.Local != "file" {
				return d.skip()
			}
			return d.file(e, d.detail3)
		})
	})
}

// detail3 reads a child of a file, whose hashes and URLs are a level deeper than in version 4.
func (d *decoder) detail3(f *File, e xml.StartElement) error {
	switch e.Name.Local {
	case "verification":
		return d.children(func(e xml.StartElement) error {
			if e.Name.Local == "hash" || e.Name.Local == "pieces" {
				return d.detail(f, e)
			}
			return d.skip() // a signature
		})
	case "resources":
		return d.children(func(e xml.StartElement) error {
			if e.Name.Local == "url" {
				return d.mirror3(f, e)
			}
			return d.skip()
		})
	case "hash", "pieces", "url", "metaurl":
		return d.skip()
	}
	return d.detail(f, e)
}

func (d *decoder) mirror3(f *File, e xml.StartElement) error {
	priority := priorityOf(attr(e, "preference"))
	if attr(e, "type") == "bittorrent" {
		return d.addMetaURL(f, MetaURL{MediaType: "torrent", Priority: priority})
	}
	return d.addURL(f, URL{Priority: priority, Location: location(attr(e, "location"))})
}

// priorityOf is the priority that a preference makes: of those the best is 100, and what makes no sense is as good as none.
func priorityOf(preference string) int {
	n, err := strconv.ParseUint(preference, 10, 32)
	if err != nil {
		return 0
	}
	return 101 - int(min(n, 100))
}
