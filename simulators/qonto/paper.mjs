// A plain one-page PDF of a few lines: the document behind an invoice that was put here without
// one.

const LINE_POINTS = 18;

/** A PDF string in WinAnsi; what that cannot write becomes a question mark. */
function literal(text) {
  const latin = [...text].map((char) => (char.codePointAt(0) <= 0xff ? char : '?')).join('');
  return `(${latin.replace(/[\\()]/g, '\\$&')})`;
}

/** @param {string[]} lines @returns {Buffer} */
export function paper(lines) {
  const shown = lines.map((line) => `${literal(line)} Tj T*`).join('\n');
  const content = `BT /F1 11 Tf ${LINE_POINTS} TL 56 780 Td\n${shown}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R '
      + '/Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ];
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const at = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const rows = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\n`
    + `startxref\n${body.length}`;
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`;
  return Buffer.from(`${body}${table}${trailer}\n%%EOF\n`, 'latin1');
}
