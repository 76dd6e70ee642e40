package source

// The relations of a [Link].
const (
	RelDuplicate   = "duplicate"   // the same bytes elsewhere (RFC 6249 §4)
	RelDescribedBy = "describedby" // something about the resource: a Metalink file, a signature (RFC 6249 §5 and §7)
)

// A Link is a place that an origin names beside its own (RFC 8288). Nothing is known of it but that word.
type Link struct {
	Rel       string // RelDuplicate or RelDescribedBy
	URL       string // absolute, with a host; never one of a local file
	Pri       int    // of a duplicate, from 1, the best, to 999999; 0 where the origin told none, which is the last
	Depth     int    // of a duplicate: so many elements at the end of its path are those of the resource's; 0: not told
	Preferred bool   // of a duplicate: what the origin prefers above any Pri
	Geo       string // of a duplicate: where it is, two letters in lower case (ISO 3166-1); "" where it is not told
	MediaType string // of what is linked to, lower case and without parameters; "" where it is not told
}
