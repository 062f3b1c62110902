use super::*;

fn blocks(html: &str) -> Vec<String> {
    let page = parse(html);
    (0..page.blocks.len())
        .map(|b| page.block_text(b).to_owned())
        .collect()
}

#[test]
fn links_side_by_side_are_words_and_a_counter_before_a_paragraph_is_none() {
    let page = "<h1>Новый автомобиль<a>Новинки</a><a>Концепт</a></h1><p><a href=#comments>10</a>Компания</p>";
    assert_eq!(blocks(page), ["Новый автомобильНовинки Концепт", "Компания"]);
    let page = "<p><a>2011</a>г. был <a>10</a>Год<p><a>12</a> Стульев<p><a>a</a>Б";
    assert_eq!(blocks(page), ["2011г. был 10Год", "12 Стульев", "aБ"]);
    assert_eq!(blocks("<pre><a>x</a><a>y</a></pre>"), ["xy"]);
    // A link whose class says that it counts comments.
    let page = "<p><a name=p1></a><a class='comments_count'>0</a>- слово<p><a class=comments>12</a> «Слово» \
                <a class=comments>7</a><p><a class=comments>0</a><p><a class=comments>a</a>б";
    assert_eq!(blocks(page), ["- слово", "«Слово» 7", "aб"]);
    let page = "<h1>Заголовок<a class=count-comments>Комментарии:&nbsp;<span>45</span></a></h1>\
                <h2><a class=comments>Комментарии</a></h2><h2>О <a class=x>слове</a></h2>";
    assert_eq!(blocks(page), ["Заголовок", "Комментарии", "О слове"]);
}

#[test]
fn blocks_break_at_block_elements_and_line_breaks() {
    assert_eq!(
        blocks("<p>a <b>b</b>\n c<br>d<div>e</div>f"),
        ["a b c", "d", "e", "f"]
    );
}

#[test]
fn references_and_odd_spaces_are_normal() {
    assert_eq!(
        blocks("<p>a&nbsp;b\u{a0}c&shy;d\u{ad}e \0 &amp; f"),
        ["a b cde & f"]
    );
}

#[test]
fn hidden_machinery_gives_no_text() {
    let html =
        "<script>x</script><style>y</style><select><option>z</select><svg><title>t</title>w</svg><p>ok";
    assert_eq!(blocks(html), ["ok"]);
    assert_eq!(blocks("<select><option>a<div>after"), ["after"]);
}

#[test]
fn cells_rows_and_items_close_by_themselves() {
    let page = parse("<table><tr><td>a<td>b<tr><td>c</table><ul><li>d<li>e<ul><li>f</ul></ul>g");
    let depths: Vec<u16> = page
        .blocks
        .iter()
        .map(|b| page.nodes[b.node as usize].depth)
        .collect();
    assert_eq!(depths, [3, 3, 3, 2, 2, 4, 0]);
}

#[test]
fn an_end_tag_does_not_reach_out_of_its_cell() {
    let page = parse("<div><table><tr><td>a</div>b</td></tr></table>c</div>d");
    let depths: Vec<u16> = page
        .blocks
        .iter()
        .map(|b| page.nodes[b.node as usize].depth)
        .collect();
    assert_eq!(depths, [4, 4, 1, 0]);
}

#[test]
fn preformatted_text_keeps_its_lines() {
    assert_eq!(blocks("<pre>\na\n  b &lt;\n</pre>c"), ["a\n  b <", "c"]);
}

#[test]
fn link_and_bold_bytes_are_counted() {
    let page = parse("<p>ab <a href=x><b>cd</b></a> e");
    assert_eq!(
        (
            page.blocks[0].link_bytes,
            page.blocks[0].bold_bytes,
            page.blocks[0].links
        ),
        (3, 3, 1)
    );
}

#[test]
fn depth_is_bounded() {
    let html = "<div>".repeat(100_000) + "deep" + &"</div>".repeat(100_000) + "<p>after";
    let page = parse(&html);
    assert_eq!(page.blocks.len(), 2);
    assert_eq!(page.nodes[page.blocks[1].node as usize].depth, 1);
}
