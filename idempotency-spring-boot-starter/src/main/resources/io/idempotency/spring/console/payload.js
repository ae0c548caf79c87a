// The bytes of a message or an output, for a person.
import {h, data, shown, number, table} from './dom.js';

export const isCut = found => [found.key, found.value, ...(found.headers ?? []).map(header => header.value)].some(part => part?.isCut);

const nothing = isHidden => h('span', {class: 'none'}, isHidden ? 'not shown' : 'none');

/** A value that fits a line, without a frame around it. */
function short(part, isHidden) {
    return part?.as === 'text' && part.text.length <= 120 && part.text !== '' ? h('code', {class: 'data'}, shown(part.text)) : content(part, isHidden);
}

/** The headers of what was found. */
export const headers = found => found.headers?.length
    ? table('Headers', ['Name', 'Value'], found.headers.map(header => [data(header.name, 200), short(header.value, found.hidden)]))
    : h('p', {class: 'none'}, 'none');

/** A key or a value. */
export function content(part, isHidden) {
    if (!part) {
        return nothing(isHidden);
    }
    const text = part.as === 'hex' ? dump(part.text) : part.as === 'json' ? indented(part.text) : part.text;
    return [
        h('pre', {tabindex: text.length > 200 ? '0' : null}, text === '' ? h('span', {class: 'none'}, 'empty') : shown(text, true)),
        h('p', {class: 'small'}, `${part.as === 'json' ? 'JSON' : part.as}, ${number(part.bytes)} ${part.bytes === 1 ? 'byte' : 'bytes'}`, part.isCut && '; the first part of it'),
    ];
}

/** Bytes as people read them: offset, sixteen bytes, and the letters among them. */
function dump(hex) {
    const lines = [];
    for (let at = 0; at < hex.length; at += 32) {
        const bytes = hex.slice(at, at + 32).match(/../g) ?? [];
        const letters = bytes.map(byte => parseInt(byte, 16)).map(byte => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.').join('');
        lines.push(`${(at / 2).toString(16).padStart(4, '0')}  ${bytes.join(' ').padEnd(47)}  ${letters}`);
    }
    return lines.join('\n');
}

/** JSON with line ends and indents; everything else stays as it was sent, also long numbers and members that repeat. */
function indented(json) {
    const parts = json.match(/"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? [];
    let depth = 0;
    let text = '';
    parts.forEach((part, at) => {
        const opens = part === '{' || part === '[';
        const closes = part === '}' || part === ']';
        const line = () => '\n' + '  '.repeat(Math.max(0, Math.min(depth, 40)));
        if (closes) {
            depth--;
            text += '{['.includes(parts[at - 1] ?? '') ? part : line() + part;
        } else {
            text += part;
        }
        if (opens) {
            depth++;
        }
        if ((opens && !'}]'.includes(parts[at + 1] ?? '}')) || part === ',') {
            text += line();
        } else if (part === ':') {
            text += ' ';
        }
    });
    return text;
}
