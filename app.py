"""Start it with `streamlit run app.py`.

The server imports this file to find its application; every session runs it as the page's script.
"""

import streamlit as st

if __name__ == "__main__":
    from explorer.ui.frame import draw_frame
    from explorer.ui.problem import problems_shown

    # An icon file of our own: a material or emoji icon here is fetched from a font host.
    st.set_page_config(page_title="Embedding Explorer", page_icon="explorer/ui/icon.png",
                       layout="wide", initial_sidebar_state=220)
    page = st.navigation({
        "Data": [
            st.Page("pages/data/bring.py", title="Bring data", icon=":material/upload_file:",
                    default=True),
        ],
        "Explore": [
            st.Page("pages/explore/recipe.py", title="Recipe", icon=":material/tune:"),
            st.Page("pages/explore/map.py", title="Map", icon=":material/scatter_plot:"),
            st.Page("pages/explore/clusters.py", title="Clusters", icon=":material/category:"),
            st.Page("pages/explore/why.py", title="Why these clusters", icon=":material/help:"),
        ],
        "Judge": [
            st.Page("pages/judge/scores.py", title="Scores", icon=":material/leaderboard:"),
            st.Page("pages/judge/number.py", title="Number of clusters",
                    icon=":material/query_stats:"),
            st.Page("pages/judge/stability.py", title="Stability", icon=":material/replay:"),
            st.Page("pages/judge/trust.py", title="Map trust", icon=":material/verified:"),
            st.Page("pages/judge/structure.py", title="Real structure?",
                    icon=":material/casino:"),
            st.Page("pages/judge/agreement.py", title="Agreement",
                    icon=":material/compare_arrows:"),
            st.Page("pages/judge/probes.py", title="Probes", icon=":material/experiment:"),
            st.Page("pages/judge/leaderboard.py", title="Leaderboard",
                    icon=":material/social_leaderboard:"),
            st.Page("pages/judge/odd.py", title="Outliers, duplicates",
                    icon=":material/troubleshoot:"),
        ],
        "Lab": [
            st.Page("pages/lab/train.py", title="Train an encoder",
                    icon=":material/model_training:"),
            st.Page("pages/lab/rebuild.py", title="Reconstruction", icon=":material/image_search:"),
            st.Page("pages/lab/latent.py", title="Latent space", icon=":material/bubble_chart:"),
            st.Page("pages/lab/anomalies.py", title="Anomalies", icon=":material/crisis_alert:"),
            st.Page("pages/lab/compare.py", title="Compare encoders",
                    icon=":material/balance:"),
            st.Page("pages/lab/models.py", title="Models", icon=":material/inventory_2:"),
        ],
        "Take away": [
            st.Page("pages/take/export.py", title="Export", icon=":material/download:"),
        ],
        "About": [
            st.Page("pages/about/methods.py", title="Methods", icon=":material/menu_book:"),
            st.Page("pages/about/jobs.py", title="Jobs", icon=":material/list_alt:"),
        ],
    }, expanded=True)
    if draw_frame():
        with problems_shown():  # a disk can refuse at any line
            page.run()
else:
    from explorer.ui.downloads import ROUTES as DOWNLOADS
    from explorer.ui.served import ROUTES as MAP
    from explorer.ui.server import edges, end_in_order, lifespan, refuse_open_address

    app = st.App(__file__, lifespan=lifespan, routes=[*DOWNLOADS, *MAP], middleware=edges())
    refuse_open_address()
    end_in_order()
