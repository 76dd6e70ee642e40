package metalink

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The media types of Metalink files.
const (
	MediaType  = "application/metalink4+xml"
	MediaType3 = "application/metalink+xml" // of Metalink 3
)

// The suffixes of their names.
const (
	Ext  = ".meta4"
	Ext3 = ".metalink" // of Metalink 3; some files of Metalink 4 have it too
)

// The limits of a Metalink file. They bound what [Decode] holds in memory, whatever it reads.
const (
	MaxBytes  = 16 << 20 // of the file
	MaxToken  = 64 << 10 // bytes between two tags, and of a tag; of the text of an element
	MaxDepth  = 32       // elements inside elements
	MaxFiles  = 1 << 14  // described
	MaxURLs   = 1 << 16  // of all files, those of metadata included
	MaxHashes = 1 << 17  // of all files and their pieces
	MaxTexts  = 1 << 14  // languages and operating systems of all files
	MaxName   = 4 << 10  // bytes of a file's name
)

// maxPriority is the worst there is, and that of what has none (RFC 5854 §4.2.16.1).
const maxPriority = 999_999

// A Metalink describes files.
type Metalink struct {
	Generator string // the program that wrote it, as "name/version"; "" if not told
	Origin    Origin
	Files     []File // at least one; no two have the same Name
}

// An Origin is where a Metalink file was published.
type Origin struct {
	URL     string // absolute; "" if not told
	Dynamic bool   // newer versions can be found there
}

// A File is what is known of one file.
type File struct {
	// Name is what the file is called: a relative path with "/" between its elements. No element is empty or nothing but
	// dots and blanks; there is neither a control character nor "\" in it, nor a drive's letter in front. It cannot lead
	// out of a folder. It may be too long for a file system, or that of a hidden file or a device: whoever writes the
	// file makes a name of it that is safe there.
	Name string

	Size      int64     // in bytes; -1: not told. Note that 0 promises an empty file
	Hashes    []Hash    // of the whole file; no two have the same Algorithm
	Pieces    *Pieces   // nil: none are told
	URLs      []URL     // where it is, in the order of the Metalink file; see Mirrors
	MetaURLs  []MetaURL // where more about it is; URLs or MetaURLs has an element
	Identity  string    // what it is, for people
	Version   string
	Languages []string // RFC 5646
	OS        []string // IANA's operating system names
	// Description is for people. It may hold line ends, and any other character that XML allows.
	Description string
}

// Mirrors are the URLs in the order in which they are to be tried: the best priority first, those without one as if they had
// the worst, and as they stand in the Metalink file where the priority is the same.
func (f *File) Mirrors() []URL {
	mirrors := slices.Clone(f.URLs)
	slices.SortStableFunc(mirrors, func(a, b URL) int {
		return cmp.Compare(cmp.Or(a.Priority, maxPriority), cmp.Or(b.Priority, maxPriority))
	})
	return mirrors
}

// A Hash is a digest.
type Hash struct {
	// Algorithm is in lower case, of IANA's hash function textual names: "sha-256", "sha-512", "sha-1", "md5". One that
	// nobody knows is kept, see Known.
	Algorithm string
	Value     []byte // never empty; where the Algorithm is known, as long as that makes it
}

// Known tells whether the Algorithm is one of MD5 and the SHA family up to SHA-512, whose values have the right length then.
func (h Hash) Known() bool { return digestLen(h.Algorithm) > 0 }

// Pieces are the digests of a file piece by piece.
type Pieces struct {
	Algorithm string   // as that of a Hash
	Length    int64    // of each piece in bytes, above 0; the last one may be shorter
	Values    [][]byte // in the order of the pieces, at least one; where the Size is known, as many as that makes
}

// Known is as that of a [Hash].
func (p *Pieces) Known() bool { return digestLen(p.Algorithm) > 0 }

// A URL is where a file can be found.
type URL struct {
	URL      string // absolute, of any scheme; as it is spelled in the Metalink file, so possibly an IRI
	Priority int    // from 1, the best, to 999999; 0 where none is told, which counts as 999999
	Location string // where that is, two letters in lower case (ISO 3166-1); "" if not told
}

// A MetaURL is where something can be found that tells how to fetch a file.
type MetaURL struct {
	URL       string // as that of a URL
	MediaType string // "torrent", or a media type; never empty
	Name      string // of the file, where what is there describes several: as that of a File; "" if not told
	Priority  int    // as that of a URL; the two are compared
}

// IsMetalink tells whether a resource is a Metalink file, of version 4 or 3: its name, the path of its URL, or the URL as a
// whole ends in ".meta4" or ".metalink", its fragment ignored, or its media type is one of theirs, case and parameters
// ignored. name is that of a file or a URL, possibly malformed; either may be empty.
func IsMetalink(name, mediaType string) bool {
	whole, _, _ := strings.Cut(name, "#")
	path, _, _ := strings.Cut(whole, "?")
	for _, s := range []string{whole, path} {
		if strings.HasSuffix(s, Ext) || strings.HasSuffix(s, Ext3) {
			return true
		}
	}
	mediaType, _, _ = strings.Cut(mediaType, ";")
	mediaType = strings.Trim(mediaType, blanks)
	return strings.EqualFold(mediaType, MediaType) || strings.EqualFold(mediaType, MediaType3)
}

// blanks are XML's.
const blanks = " \t\r\n"

// A SyntaxError tells where a Metalink file is none, and why.
type SyntaxError struct {
	Line int // from 1
	Err  error
}

// Error reads "metalink line N: cause".
func (e *SyntaxError) Error() string { return fmt.Sprintf("metalink line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }
