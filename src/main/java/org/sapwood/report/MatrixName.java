package org.sapwood.report;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a weight, divided for a table of layers and kinds of matrices.
 *
 * @param layer such as {@code mid_block.attentions.0}
 * @param kind such as {@code to_q} or {@code attn2.to_k}
 */
record MatrixName(String layer, String kind) {
    private static final String ATTENTION = "Attention";
    private static final String RESIDUAL = "Residual blocks";
    private static final String OTHER = "Other layers";

    /** The families, in the order of the page. */
    static final List<String> FAMILIES = List.of(ATTENTION, RESIDUAL, OTHER);

    /** What diffusers calls a unit of a UNet: a block, its member and the member's number. */
    private static final Pattern IN_BLOCK =
            Pattern.compile("((?:down|up)_blocks\\.\\d+\\.\\w+\\.\\d+|mid_block\\.\\w+\\.\\d+)\\.(.+)");

    private static final Pattern IN_TRANSFORMER = Pattern.compile("transformer_blocks\\.(\\d+)\\.(.+)");

    /** Divides a name; one of another form keeps its last part as its kind. */
    static MatrixName of(String weight) {
        String name = weight.endsWith(".weight") ? weight.substring(0, weight.length() - ".weight".length()) : weight;
        Matcher block = IN_BLOCK.matcher(name);
        if (!block.matches()) {
            int dot = name.lastIndexOf('.');
            return dot < 0
                    ? new MatrixName("model", name)
                    : new MatrixName(name.substring(0, dot), name.substring(dot + 1));
        }
        Matcher transformer = IN_TRANSFORMER.matcher(block.group(2));
        if (!transformer.matches()) {
            return new MatrixName(block.group(1), kind(block.group(2)));
        }
        String depth = transformer.group(1).equals("0") ? "" : " transformer " + transformer.group(1);
        return new MatrixName(block.group(1) + depth, kind(transformer.group(2)));
    }

    /** {@code to_out.0} is the projection; the number behind it belongs to a list that holds a dropout as well. */
    private static String kind(String name) {
        return name.endsWith("to_out.0") ? name.substring(0, name.length() - 2) : name;
    }

    /** Which table of the page the layer stands in: layers of one family have the same kinds of matrices. */
    String family() {
        if (layer.contains(".attentions.") || kind.startsWith("to_")) {
            return ATTENTION;
        }
        return layer.contains(".resnets.") ? RESIDUAL : OTHER;
    }

    /** The layer in few letters: {@code down 0 · attention 1}. */
    String shortLayer() {
        return layer.replaceAll("^(down|up)_blocks\\.(\\d+)\\.", "$1 $2 · ")
                .replaceAll("^mid_block\\.", "mid · ")
                .replace("attentions.", "attention ")
                .replace("resnets.", "resnet ")
                .replace("downsamplers.", "downsampler ")
                .replace("upsamplers.", "upsampler ")
                .replace('_', ' ');
    }
}
