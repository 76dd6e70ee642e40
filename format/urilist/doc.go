// Package urilist reads lists of downloads in the format of aria2's input files ("Input File" in its manual).
//
//	# an image and its mirrors, separated by TAB
//	http://a.example/disk.iso	http://b.example/disk.iso
//	  out=today.iso
//	  checksum=sha-256=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
//	http://a.example/notes.txt
//
// A line that begins with neither a blank nor "#" is an entry: one file, whose mirrors are separated by TAB. The lines below
// it that begin with blanks are its options.
//
// # Grammar
//
// In the EBNF of ISO/IEC 14977, over octets:
//
//	list      = [ BOM ], { empty }, { entry } ;
//	entry     = url, { tabs, url }, [ tabs ], line end, { empty | option } ;
//	url       = text ;                                       (* the first does not begin with "#" *)
//	option    = blank, blanks, name, blanks, "=", blanks, [ value, blanks ], line end ;
//	name      = letter, { letter | digit | "-" } ;
//	value     = text ;
//	empty     = blanks, [ "#", { octet } ], line end ;
//	text      = visible, [ { visible | SP | HT }, visible ] ; (* in a url without HT *)
//	visible   = ? any octet other than SP, HT, 00 to 1F and 7F ? ;
//	octet     = ? any octet other than LF ? ;
//	tabs      = blanks, HT, blanks ;
//	blanks    = { blank } ;
//	blank     = SP | HT ;
//	line end  = [ blanks ], { CR }, ( LF | ? the end of the list ? ) ;
//
// What the grammar does not say:
//
//   - Neither URLs nor options are looked into: an unknown option, or a value that does not fit, is for the caller to
//     refuse, who has the line for it. An option may be given more than once; for most of them the last one counts, as in
//     aria2.
//   - Blanks within a URL stay: mirrors separated by a space are one URL that no origin has.
//   - "#" begins a comment where a line begins, blanks aside, and nowhere else: fragments stay. Comments and empty lines
//     may stand between an entry and its options.
//   - Nothing is quoted or escaped, and nothing is expanded.
//   - Control characters (NUL, a CR within a line, ESC) are a syntax error but in comments: a list in UTF-16, or
//     compressed, says so in its first lines, and no header of a request is broken into two.
//   - The octets are taken as they are; whether they are UTF-8 is not looked at.
//   - A list that was cut fails: what had been read of its last entry could lack a mirror, or the name it is to have.
//
// Syntax errors, beside control characters: an option above the first entry, an indented line that is no option (a
// URL, for example), and the limits that bound memory.
//
// The package is pure: it opens nothing, starts nothing and reads no clock.
package urilist
