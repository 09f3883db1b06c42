"""How Sphinx builds `docs/` (`scripts/docs`). Decision: 046-documents.md."""

project = "Live AI Blocks"
extensions = ["myst_parser"]
exclude_patterns = ["pictures"]

myst_heading_anchors = 4  # `page.md#a-heading`, as on GitHub; a link to nothing is an error
nitpicky = True

html_theme = "furo"
html_theme_options = {  # the colours of frontend/src/look/tokens.css
    "light_css_variables": {"color-brand-primary": "#b5125b", "color-brand-content": "#1554d1"},
    "dark_css_variables": {"color-brand-primary": "#ff7fb0", "color-brand-content": "#8ab4ff"},
}
html_title = project
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_favicon = "../frontend/static/frontend/mark.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
