// Elements, and text for a person. Whatever comes from messages becomes text nodes: nothing here is ever parsed as HTML.

/** Makes an element. Properties that begin with "on" are listeners; false and null leave one out. Links lead to views of this page only. */
export function h(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties ?? {})) {
        if (value === false || value === null || value === undefined) {
            continue;
        }
        if (name.startsWith('on')) {
            element.addEventListener(name.slice(2), value);
        } else if (name === 'href' && !String(value).startsWith('#/')) {
            throw new Error('A link must lead to a view');
        } else if (name === 'value') {
            element.value = value;
        } else {
            element.setAttribute(name, value === true ? '' : value);
        }
    }
    element.append(...children.flat(3).filter(child => child !== null && child !== undefined && child !== false));
    return element;
}

/** Replaces what is in an element, unless it looks the same: then focus and selection stay where they are. */
export function fill(element, ...children) {
    const next = h('div', null, ...children);
    if (element.childNodes.length === next.childNodes.length
            && [...element.childNodes].every((node, at) => node.isEqualNode(next.childNodes[at]))) {
        return;
    }
    element.replaceChildren(...next.childNodes);
}

// What does not show as itself, as the library's own log escapes it.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Mn}\p{Me}\u115F\u1160\u2800\u3164\uFFA0]|(?! )\p{Zs}/gu;

const escaped = found => [...Array(found.length).keys()]
        .map(at => '\\u' + found.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')).join('');

/** The text with invisible characters escaped, as a string, for attributes. */
export const plain = text => String(text).replace(HIDDEN, escaped);

/** Text of a message or a failure as nodes: invisible characters escaped, line ends kept if it has lines. */
export function shown(text, hasLines = false) {
    const nodes = [];
    let from = 0;
    for (const found of String(text).matchAll(HIDDEN)) {
        if (hasLines && (found[0] === '\n' || found[0] === '\t')) {
            continue;
        }
        nodes.push(text.slice(from, found.index), h('span', {class: 'escape'}, escaped(found[0])));
        from = found.index + found[0].length;
    }
    nodes.push(String(text).slice(from));
    return nodes;
}

/** Foreign text in a line, cut to so many characters; its direction does not leave it. */
export function data(text, most = 120) {
    if (text === null || text === undefined || text === '') {
        return h('span', {class: 'none'}, '–');
    }
    const all = [...String(text)];
    const isCut = all.length > most;
    const part = isCut ? all.slice(0, most).join('') : String(text);
    return h('bdi', {class: 'data', title: isCut ? plain(all.slice(0, 1000).join('')) : null}, shown(part), isCut && '…');
}

export const number = count => Number(count ?? 0).toLocaleString('en');

export const messages = count => `${number(count)} ${Number(count) === 1 ? 'message' : 'messages'}`;

/** A rate for a person: two digits if it is small. */
export const rate = perSecond => perSecond >= 10 || perSecond === 0 ? number(Math.round(perSecond)) : perSecond.toFixed(1);

const UNITS = {D: 86400, H: 3600, M: 60, S: 1};

/** Seconds of an ISO-8601 duration, such as P8D or PT2H0.5S; null for none. */
export function seconds(duration) {
    return duration === null || duration === undefined ? null
            : [...duration.matchAll(/([\d.]+)([DHMS])/g)].reduce((sum, part) => sum + Number(part[1]) * UNITS[part[2]], 0);
}

/** A time for a person, in one unit. */
export function span(time) {
    if (time < 1) {
        return time <= 0 ? '0 s' : time < 0.001 ? 'less than 1 ms' : `${Math.round(time * 1000)} ms`;
    }
    return time < 120 ? `${Math.round(time)} s`
            : time < 7200 ? `${Math.round(time / 60)} min`
            : time < 172800 ? `${Math.round(time / 3600)} h` : `${Math.round(time / 86400)} d`;
}

export const since = instant => Math.max(0, (Date.now() - Date.parse(instant)) / 1000);

const two = part => String(part).padStart(2, '0');

/** A moment in the time of the browser. */
export function moment(instant, isLong = true) {
    if (!instant) {
        return h('span', {class: 'none'}, '–');
    }
    const at = new Date(instant);
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    const isToday = at.toDateString() === new Date().toDateString();
    return h('time', {datetime: instant, title: instant}, isToday && !isLong ? time : `${day} ${time}`);
}

export const ago = instant => instant ? h('time', {datetime: instant, title: instant}, since(instant) < 1 ? 'now' : `${span(since(instant))} ago`)
        : h('span', {class: 'none'}, '–');

/** The class without its package. */
export const shortClass = name => String(name).slice(String(name).lastIndexOf('.') + 1);

/** A table that becomes a list of cards on a phone. A cell is what `h` takes. */
export function table(caption, heads, rows) {
    return h('table', null, h('caption', {class: 'unseen'}, caption),
            h('thead', null, h('tr', null, heads.map(head => h('th', {scope: 'col'}, head)))),
            h('tbody', null, rows.map(cells => h('tr', null,
                    cells.map((cell, at) => h('td', {'data-head': heads[at]}, cell))))));
}

/** Names and values. */
export const facts = pairs => h('dl', {class: 'facts'}, pairs.filter(Boolean)
        .map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value ?? '–'))));

export const choice = (name, label, options, chosen) => h('label', {class: 'field'}, h('span', null, label),
        h('select', {name}, options.map(([value, text]) => h('option', {value, selected: value === (chosen ?? '')}, text))));

export const field = (name, label, properties) => h('label', {class: 'field'}, h('span', null, label),
        h('input', {name, autocomplete: 'off', spellcheck: 'false', ...properties}));

/** Tells it to those who listen rather than look. */
export function tell(text) {
    document.getElementById('told').textContent = text;
}
