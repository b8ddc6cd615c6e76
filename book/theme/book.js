// The reader's choice between light and dark, kept across pages; without it, or without a script, the system's choice holds.
// And whether a page is read with its code or without it, kept for each page.
(function () {
    "use strict";
    var root = document.documentElement;
    function kept(name) {
        try { return localStorage.getItem(name); } catch (refused) { return null; }
    }
    function keep(name, value) {
        try { localStorage.setItem(name, value); } catch (refused) { /* this page only */ }
    }
    function isDark() {
        return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    }
    if (kept("coracle-theme")) { root.dataset.theme = kept("coracle-theme"); }
    var here = location.pathname.split("/").pop() || "index.html";
    // Before the page is drawn, so that the code does not come and go.
    if (kept("coracle-code " + here) === "folded") { root.dataset.code = "folded"; }
    function fold(button) {
        if (!button || !document.querySelector("main figure:not(.diagram)")) { return; }
        function isFolded() { return root.dataset.code === "folded"; }
        function say() { button.querySelector("span").textContent = isFolded() ? "with the" : "without the"; }
        button.addEventListener("click", function () {
            var place = firstInView(button.closest("header").getBoundingClientRect().bottom);
            var before = place && place.getBoundingClientRect().top;
            root.dataset.code = isFolded() ? "shown" : "folded";
            keep("coracle-code " + here, root.dataset.code);
            say();
            // What was being read stays where it was.
            if (place) { scrollBy({ top: place.getBoundingClientRect().top - before, behavior: "instant" }); }
        });
        say();
        button.hidden = false;
    }
    // The first of the page's own words below this height: they are there with the code and without it.
    function firstInView(top) {
        var words = Array.from(document.querySelectorAll("main :is(p, li, h1, h2, h3, figcaption)"));
        return words.find(function (one) { var box = one.getBoundingClientRect(); return box.height && box.bottom > top; });
    }
    // A link of `coracle book --live` brings a token: it is kept while this tab shows the book, and taken out of the address.
    var token = new URLSearchParams(location.search).get("token");
    if (token && location.protocol !== "file:") {
        try { sessionStorage.setItem("coracle-token", token); } catch (refused) { /* then nothing is live */ }
        history.replaceState(null, "", location.pathname + location.hash);
    }
    // The search: what is searched is a script that is loaded when somebody begins to search, so that it works from a file, too.
    function search(field) {
        if (!field) { return; }
        var list = document.getElementById("found");
        var above = field.dataset.index.replace("search-index.js", "");
        field.hidden = false;
        field.addEventListener("focus", function () {
            if (document.getElementById("search-index")) { return; }
            var script = document.createElement("script");
            script.id = "search-index";
            script.src = field.dataset.index;
            script.onload = find;
            document.head.append(script);
        });
        field.addEventListener("input", find);
        document.addEventListener("keydown", function (event) {
            if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
            if (event.key === "Escape") { field.value = ""; find(); }
        });
        function find() {
            var words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
            list.replaceChildren();
            list.hidden = !words.length || !window.coracleSections;
            if (list.hidden) { return; }
            var hits = window.coracleSections.map(function (section) {
                var title = section[1].toLowerCase(), text = section[2].toLowerCase();
                var all = words.every(function (word) { return title.includes(word) || text.includes(word); });
                var named = words.filter(function (word) { return title.includes(word); }).length;
                return { section: section, at: text.indexOf(words[0]), rank: all ? 1 + named : 0 };
            }).filter(function (hit) { return hit.rank; }).sort(function (one, other) { return other.rank - one.rank; });
            hits.slice(0, 12).forEach(function (hit) { list.append(item(hit)); });
            if (!hits.length) { list.append("Nothing found"); }
        }
        function item(hit) {
            var item = document.createElement("li"), link = document.createElement("a");
            link.href = above + hit.section[0];
            link.textContent = hit.section[1];
            link.addEventListener("click", function () { field.value = ""; find(); });
            var from = hit.at < 30 ? 0 : hit.section[2].lastIndexOf(" ", hit.at - 20) + 1;
            item.append(link, " ", hit.section[2].slice(from).split(" ").slice(0, 18).join(" "));
            return item;
        }
    }
    document.addEventListener("DOMContentLoaded", function () {
        var button = document.querySelector("button.theme");
        function say() { button.textContent = isDark() ? "light" : "dark"; }
        button.addEventListener("click", function () {
            root.dataset.theme = isDark() ? "light" : "dark";
            keep("coracle-theme", root.dataset.theme);
            say();
        });
        say();
        fold(document.querySelector("button.fold"));
        search(document.querySelector("header input[type=search]"));
        // The page that is open is told from the others, and the contents close when a reader goes elsewhere.
        var contents = document.querySelector("details.contents");
        if (!contents) { return; }
        contents.querySelectorAll("a").forEach(function (link) {
            if (link.getAttribute("href").split("/").pop() === here) { link.setAttribute("aria-current", "page"); }
        });
        document.addEventListener("click", function (event) {
            if (!contents.contains(event.target)) { contents.open = false; }
        });
        document.addEventListener("keydown", function (event) {
            if (event.key === "Escape") { contents.open = false; }
        });
    });
})();
