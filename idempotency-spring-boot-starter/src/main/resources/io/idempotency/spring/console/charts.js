// Small pictures, drawn by hand. Each has its meaning in words, too.

function svg(tag, attributes, ...children) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) {
        element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
}

const WIDTH = 180;
const HEIGHT = 36;

function points(values, most, samples) {
    const step = WIDTH / (samples - 1);
    const from = WIDTH - (values.length - 1) * step;
    return values.map((value, at) => [
        (from + at * step).toFixed(1),
        (HEIGHT - 2 - (most === 0 ? 0 : value / most) * (HEIGHT - 5)).toFixed(1),
    ]);
}

/** A line of the last samples; the newest is at the right. The second line, if there is one, has the scale of the first. */
export function sparkline(label, first, second, samples) {
    const most = Math.max(1, ...first, ...second);
    const picture = svg('svg', {class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label});
    picture.append(svg('line', {class: 'ground', x1: 0, x2: WIDTH, y1: HEIGHT - 1.5, y2: HEIGHT - 1.5}));
    const upper = points(first, most, samples);
    if (upper.length > 1) {
        picture.append(svg('polygon', {
            class: 'area',
            points: [`${upper[0][0]},${HEIGHT - 2}`, ...upper.map(point => point.join(',')), `${WIDTH},${HEIGHT - 2}`].join(' '),
        }));
    }
    picture.append(svg('polyline', {class: 'line', points: upper.map(point => point.join(',')).join(' ')}));
    if (second.some(value => value > 0)) {
        picture.append(svg('polyline', {class: 'line second', points: points(second, most, samples).map(point => point.join(',')).join(' ')}));
    }
    return picture;
}

/** A bar for each hour of a day, the oldest first. */
export function hours(counts) {
    const most = Math.max(1, ...counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const picture = svg('svg', {
        class: 'hours',
        viewBox: `0 0 ${counts.length * 6} 32`,
        preserveAspectRatio: 'xMinYMax meet',
        role: 'img',
        'aria-label': `${total} in ${counts.length} hours, ${counts[counts.length - 1]} of them in the last one`,
    });
    counts.forEach((count, at) => {
        const height = count === 0 ? 1 : Math.max(3, (count / most) * 30);
        picture.append(svg('rect', {class: count === 0 ? 'zero' : 'some', x: at * 6 + 1, y: 32 - height, width: 4, height, rx: 1}));
    });
    return picture;
}

/**
 * How late duplicates come, from a second to the end of the retention, each step ten times the one before: half of them up to the dark part, 99 of 100
 * up to the end of the bar, the latest at the mark.
 */
export function ages(age, retention) {
    const end = Math.max(retention, 10);
    const at = time => (Math.log10(Math.min(end, Math.max(1, time))) / Math.log10(end)) * 196 + 2;
    const isClose = age.max > retention / 2;
    const picture = svg('svg', {class: isClose ? 'ages close' : 'ages', viewBox: '0 0 200 16', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Age of duplicates'});
    picture.append(
            svg('rect', {class: 'track', x: 0, y: 5, width: 200, height: 6, rx: 3}),
            svg('rect', {class: 'most', x: 0, y: 5, width: at(age.p99), height: 6, rx: 3}),
            svg('rect', {class: 'half', x: 0, y: 5, width: at(age.p50), height: 6, rx: 3}),
            svg('rect', {class: 'latest', x: at(age.max) - 1.5, y: 1, width: 3, height: 14, rx: 1}));
    return picture;
}

/** How far a replay is, by what became of its messages. */
export function progress(replay) {
    const picture = svg('svg', {class: 'progress', viewBox: '0 0 1000 12', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Progress'});
    picture.append(svg('rect', {class: 'track', x: 0, y: 0, width: 1000, height: 12}));
    let from = 0;
    for (const kind of ['processed', 'duplicates', 'failed', 'unreadable']) {
        const width = replay.total > 0 ? (replay[kind] / replay.total) * 1000 : 0;
        if (width > 0) {
            picture.append(svg('rect', {class: kind, x: from, y: 0, width, height: 12}));
        }
        from += width;
    }
    return picture;
}
