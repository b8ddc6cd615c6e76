// The reader's choice between light and dark, kept across pages; without it, or without a script, the system's choice holds.
(function () {
    "use strict";
    var root = document.documentElement;
    function kept() {
        try { return localStorage.getItem("coracle-theme"); } catch (refused) { return null; }
    }
    function isDark() {
        return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    }
    if (kept()) { root.dataset.theme = kept(); }
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
            try { localStorage.setItem("coracle-theme", root.dataset.theme); } catch (refused) { /* this page only */ }
            say();
        });
        say();
        search(document.querySelector("header input[type=search]"));
        // The page that is open is told from the others, and the contents close when a reader goes elsewhere.
        var contents = document.querySelector("details.contents");
        if (!contents) { return; }
        var here = location.pathname.split("/").pop() || "index.html";
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
