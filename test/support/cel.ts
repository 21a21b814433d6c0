// Reads the string literals of a CEL expression as CEL does, for tests that ask what an expression really says.

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\", "'": "'", n: "\n", r: "\r", t: "\t" };

/** The expression with a `?` in the place of each literal, and what the literals mean. Throws where CEL could not read it. */
export function literalsOf(expression: string): { readonly frame: string; readonly literals: readonly string[] } {
  const literals: string[] = [];
  let frame = "";
  for (let at = 0; at < expression.length; at++) {
    if (expression[at] !== "'") {
      frame += expression[at];
      continue;
    }
    const { text, end } = literalAt(expression, at + 1);
    literals.push(text);
    frame += "?";
    at = end;
  }
  return { frame, literals };
}

function literalAt(expression: string, from: number): { readonly text: string; readonly end: number } {
  let text = "";
  for (let at = from; at < expression.length; at++) {
    const character = expression.charAt(at);
    if (character === "'") return { text, end: at };
    if (character === "\n" || character === "\r") throw new Error(`a literal of ${expression} has a raw line end`);
    if (character !== "\\") {
      text += character;
      continue;
    }
    const escape = expression.charAt(++at);
    if (escape === "u") {
      const digits = expression.slice(at + 1, at + 5);
      if (!/^[0-9a-f]{4}$/i.test(digits)) throw new Error(`\\u${digits} in ${expression}`);
      text += String.fromCharCode(Number.parseInt(digits, 16));
      at += 4;
    } else {
      const meant = ESCAPES[escape];
      if (meant === undefined) throw new Error(`\\${escape} in ${expression}`);
      text += meant;
    }
  }
  throw new Error(`a literal of ${expression} has no end`);
}
