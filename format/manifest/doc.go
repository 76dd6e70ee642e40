// Package manifest reads and writes manifests: text that says how a stream is broken into parts and where each
// part can be found.
//
//	http://mymachine.mit.edu/picture.jpg-part1
//	http://yourmachine.mit.edu/picture.jpg-part1
//	--
//	(*)
//	http://mymachine.mit.edu/picture.jpg-part2
//
// Parts are separated by "--" and joined in order. The lines of a part are its alternatives, tried in order until one
// works. "(*)" marks a part whose bytes may be cached for the length of one download. A part can be a manifest itself,
// also the one it stands in. [IsManifest] tells manifests from other resources.
//
// # Grammar
//
// In the EBNF of ISO/IEC 14977, over octets:
//
//	manifest    = [ BOM ], part, { separator, line end, part } ;
//	part        = { entry, line end } ;
//	separator   = blanks, "--", blanks ;
//	entry       = blanks
//	            | blanks, alternative, blanks
//	            | blanks, mark, { mark }, [ ( alternative | "--" ), blanks ] ;
//	mark        = "(*)", blanks ;                       (* the part is cacheable *)
//	alternative = text - ( "--" | "(*)", { octet } ) ;
//	text        = visible, [ { octet }, visible ] ;
//	visible     = octet - ( SP | HT | CR ) ;
//	octet       = ? any octet other than LF ? ;
//	blanks      = { SP | HT | CR } ;
//	line end    = LF | ? the end of the manifest ? ;
//	BOM         = ? the octets EF BB BF ? ;
//
// What the grammar does not say:
//
//   - Lines end in LF or CRLF; the CR of the latter is a blank, like any CR around a line. A CR inside a line ends
//     nothing: it is a character of an alternative, which then is no URL.
//   - A BOM is ignored at the very start alone. Anywhere else it belongs to an alternative.
//   - An alternative is a URL reference (RFC 3986, section 4.1), resolved against the manifest's own URL by [Resolve].
//     One that is no usable URL, a comment ("# …") for example, is an alternative that fails. It never spoils the others
//     and is no syntax error: the decoder does not look into alternatives at all.
//   - The fragment of an alternative may promise a digest and a size, see [ParseAlternative].
//   - A part without alternatives adds nothing: two separators in a row, a leading or a trailing one, a part of blank
//     lines, a part of "(*)" alone. An empty manifest is an empty stream.
//   - A part ends at a separator or where the manifest ends cleanly. If reading breaks, the part it broke in is lost:
//     a cut manifest never passes for a shorter one.
//
// Three things are syntax errors, all of them limits that bound memory: a line over [MaxLine] bytes, a part
// whose alternatives sum to over [MaxPart] bytes, and a part of more than [MaxAlternatives] alternatives.
//
// The format is that of "Multipart Data Transfer" (MIT 6.005, project 1, 2008) and "Multi-Part File Downloader"
// (MIT 6.009, lab 6, 2022); [Lint] tells where a manifest goes beyond what readers of those accept.
//
// The package is pure: it opens nothing, starts nothing and reads no clock.
package manifest
