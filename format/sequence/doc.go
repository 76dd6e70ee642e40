// Package sequence reads and writes sequences: one stream that holds many files.
//
// # Format
//
//	sequence = { file } ;
//	file     = length, body ;
//	length   = 4 octets, an unsigned integer, the most significant octet first ;
//	body     = as many octets as length says ;
//
// A length of 0 is a file without bytes. A sequence ends where a file could begin; an end within a length or a body is
// a [*CutError]. There is nothing else to get wrong: any other stream of octets is a sequence.
//
// The format is that of "Multi-Part File Downloader" (MIT 6.009, lab 6, 2022, section 2.3) and of its ancestor (MIT
// 6.005, project 1, 2008), which knew it as "-seq" from the names of such streams.
//
// The package is pure: it opens nothing, starts nothing and reads no clock.
package sequence
