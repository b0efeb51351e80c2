package org.sapwood.report;

/** What the run guarantees, in one sentence, and where that ends. */
record GuaranteeSection(RunFacts facts, Claim claim) implements Section {
    @Override
    public String id() {
        return "guarantee";
    }

    @Override
    public String title() {
        return claim.kind() == Claim.Kind.PRIVATE ? "The guarantee" : "No guarantee";
    }

    @Override
    public boolean hasContent() {
        return true;
    }

    @Override
    public void append(Html html) {
        html.leaf("p", sentence(), "class", "sentence");
        if (claim.kind() == Claim.Kind.PRIVATE) {
            appendLimits(html);
        }
    }

    private String sentence() {
        return switch (claim.kind()) {
            case PRIVATE -> privateSentence();
            case PUBLIC_DATA ->
                "This model was trained on images that were declared public, without clipping and without noise: it may"
                        + " remember any of them, and nothing is claimed about them.";
            case NO_MECHANISM ->
                "This run protects nobody: it trained on the images without clipping and without noise, and its weights"
                        + " and samples may show any of them.";
            case SEEDED ->
                "This run protects nobody: its batches and its noise follow from a seed, so whoever knows or guesses the"
                        + " seed can take the noise away. The ledger below says what the same run would cost with"
                        + " cryptographic randomness.";
            case NO_LEDGER ->
                "Nothing can be guaranteed: privacy.json is missing, incomplete or disagrees with run.json. Do not"
                        + " release anything of this run.";
        };
    }

    private String privateSentence() {
        String what = claim.finished()
                ? "The weights and samples of this run are "
                : "So far the weights and samples of this run are ";
        String planned = claim.finished() ? "" : " (of the ε\u00a0= " + Figures.up(claim.epsilon()) + " planned)";
        return what + "(ε, δ)-differentially private with ε\u00a0= " + Figures.up(claim.spent()) + planned
                + " and δ\u00a0= "
                + Figures.up(claim.delta())
                + " for adding or removing any one image with its label: the probability of anything they may show or be used"
                + " to conclude is at most " + factor() + " times what it would be without that image, plus δ, and the"
                + " other way round.";
    }

    private String factor() {
        double factor = Math.exp(claim.spent());
        return "e^ε\u00a0= " + (Double.isFinite(factor) ? Figures.up(factor) : "(a number too large to print)");
    }

    private void appendLimits(Html html) {
        html.open("div", "class", "columns");
        html.open("div").leaf("h3", "It covers").open("ul");
        String selection = facts.selection().isEmpty() ? "" : " the selection of matrices and its noisy scores,";
        html.leaf(
                "li",
                "the trained weights of every checkpoint," + selection
                        + " the progress log, and every image drawn from the model, however many;");
        html.leaf("li", "an image together with its label;");
        html.leaf("li", "readers with any knowledge and any computing power, who may know all other images.");
        html.close("ul").close("div");
        html.open("div").leaf("h3", "It does not cover").open("ul");
        html.leaf("li", "a person with k images as one: for them ε is up to k times as large, and δ grows too;");
        html.leaf(
                "li",
                "the number of images and the names of the classes, which count as public, and the images of the"
                        + " public model;");
        html.leaf(
                "li",
                "settings that someone chose by looking at the private images, or other runs on them: each has a"
                        + " cost of its own, and costs add up;");
        html.leaf("li", "evaluation against private images, and how long training took and how much memory it held;");
        html.leaf("li", "the memory of the machine while it ran.");
        html.close("ul").close("div").close("div");
        html.leaf(
                "p",
                "The batches and the noise came from a cryptographic generator (ChaCha20) with a key of the"
                        + " operating system's randomness that was never stored.",
                "class",
                "note");
    }
}
