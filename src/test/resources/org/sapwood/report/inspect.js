// What is wrong with the page as it is laid out, one line per problem. Run by PageInspection in a browser.
(() => {
    const problems = [];
    const name = element => element.tagName.toLowerCase() + (element.className ? '.' + element.className : '');
    document.querySelectorAll('details').forEach(details => { details.open = true; });

    // Nothing may make the page scroll sideways; what scrolls inside a box of its own may be wide.
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) {
        problems.push(`overflow: the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
    }
    for (const element of document.body.querySelectorAll('*')) {
        if (element.getBoundingClientRect().right > width + 1 && !element.parentElement.closest('.scroll')) {
            problems.push(`overflow: ${name(element)}`);
        }
    }

    // WCAG 2.2, 1.4.3: contrast of text and what is behind it.
    const parse = color => {
        const parts = color.match(/^rgba?\(([^)]*)\)$/);
        if (!parts) {
            problems.push(`contrast: cannot read the colour ${color}`);
            return [0, 0, 0, 1];
        }
        const [r, g, b, a = 1] = parts[1].split(/[\s,/]+/).filter(part => part).map(Number);
        return [r, g, b, a];
    };
    const luminance = color => {
        const [r, g, b] = color.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = element => {
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            if (color[3] === 1) {
                return color;
            }
            if (color[3] !== 0) {
                problems.push(`contrast: half-transparent background of ${name(at)}`);
            }
        }
        return [255, 255, 255, 1];
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !element.getClientRects().length) {
            continue;
        }
        const style = getComputedStyle(element);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const a = luminance(parse(style.color).slice(0, 3));
        const b = luminance(background(element).slice(0, 3));
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < (large ? 3 : 4.5)) {
            problems.push(`contrast: ${contrast.toFixed(2)} of "${texts.currentNode.data.trim()}" in ${name(element)}`);
        }
        if (size < 11) {
            problems.push(`small: ${size} px of "${texts.currentNode.data.trim()}"`);
        }
    }

    // A page in the other scheme would pass everything above.
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    if ((luminance(background(document.body).slice(0, 3)) < 0.2) !== dark) {
        problems.push(`scheme: the page does not follow the preference for ${dark ? 'dark' : 'light'}`);
    }

    for (const image of document.images) {
        if (!image.complete || !image.naturalWidth || !image.getBoundingClientRect().width) {
            problems.push('image: one does not show');
        }
        if (!image.alt) {
            problems.push('image: one has no alternative text');
        }
    }
    if (!document.documentElement.lang || !document.title) {
        problems.push('document: no language or no title');
    }
    for (const table of document.querySelectorAll('table')) {
        if (!table.querySelector('th[scope=col]')) {
            problems.push('table: one has no headings of columns');
        }
    }
    if (document.scripts.length) {
        problems.push('script: the page holds one');
    }
    return problems;
})()
